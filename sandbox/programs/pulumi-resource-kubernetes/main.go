// The official Kubernetes provider. Its own main embeds files that a release generates and the
// published module lacks: the schema, which only documentation and code generation ask for.
package main

import (
	"fmt"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

var version = "0.0.0" // set by the build

func main() {
	schema := fmt.Appendf(nil, `{"name":"kubernetes","version":%q}`, version)
	provider.Serve("kubernetes", version, schema, []byte("{}"))
}
