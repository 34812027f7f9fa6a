"""The nouns of a lab: frozen records and pure queries about them, standard library only."""

from epolab.model.document import to_document
from epolab.model.firewall import FirewallException, FirewallRule, SiteFirewall
from epolab.model.link import Link, Shape
from epolab.model.management import Assignment, Group, HandlerGroup, HandlerRule, Management, Policy, Repository, Task
from epolab.model.node import Interface, Node, Route
from epolab.model.problem import Problem
from epolab.model.segment import Segment
from epolab.model.site import Site
from epolab.model.topology import Topology

__all__ = [
    "Assignment",
    "FirewallException",
    "FirewallRule",
    "Group",
    "HandlerGroup",
    "HandlerRule",
    "Interface",
    "Link",
    "Management",
    "Node",
    "Policy",
    "Problem",
    "Repository",
    "Route",
    "Segment",
    "Shape",
    "Site",
    "SiteFirewall",
    "Task",
    "Topology",
    "to_document",
]
