// The official Kubernetes provider. Its upstream main package embeds generated files that the published
// module lacks. One of them is the schema, which only documentation and code generation use.
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
