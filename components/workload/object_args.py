"""The names of a workload's objects, and the adoption of existing ones."""

from ..base.arguments import Arguments
from ..base.names import DnsLabel


class ObjectArgs(Arguments):
    """Arguments of every workload: how its objects are named, and whether they may exist already."""

    name: DnsLabel | None = None
    """The name of the objects. Defaults to the name of the component.

    Set it to keep the objects of a component that is renamed. A change replaces the object.
    """

    container_name: DnsLabel | None = None
    """The name of the main container: that of an existing workload which is adopted.

    Defaults to ``server`` for a service, and to ``trainer`` for a job.

    A change rolls the pods of a service; a job needs a new run.
    """

    adopt: bool = False
    """Adopt objects of these names that exist already, and that no component owns. Without it, they are rejected.

    Adopted objects are not deleted with the stack until ``adopt`` is removed. A Job or Pod is adopted only if its
    run is identical. Updatable in place.
    """

    def object_name(self, component: str) -> str:
        """The name of the objects of a component."""
        return self.name or component
