"""The words of topology files: names, components, and what is not supported yet."""

from epolab.topology.specs import Text

NAME_RULE = "a name starts with a letter and has small letters, digits and single hyphens, at most 15 characters"
PLACE_RULE = "a name starts with a letter and has small letters, digits and single hyphens, at most 31 characters"
LAB_NAME = Text("lab name", r"[a-z][a-z0-9-]{0,30}", "a lab name is [a-z][a-z0-9-]{0,30}", "bad-lab-name")
SITE_NAME = Text("site name", r"[a-z](-?[a-z0-9])*", PLACE_RULE, "bad-name", 31, "name of a site")
NODE_NAME = Text("node name", r"[a-z](-?[a-z0-9])*", NAME_RULE, "bad-name", 15)
NETWORK_NAME = Text("network name", r"[a-z](-?[a-z0-9])*", PLACE_RULE, "bad-name", 31, "name of a network of the site")
LINK_NAME = Text("link name", r"[a-z](-?[a-z0-9])*", "small letters, digits and single hyphens", "bad-name", 31)
TITLE = Text("name", r"[^\s/\\].*", "text that starts with neither a space nor a slash", "bad-name", 255, "text")
GROUP_PATH = Text(
    "group path", r"[^/\\]+([/\\][^/\\]+)*", "levels parted by `/`, without My Organization", "bad-name", 255
)
HANDLER_GROUP = Text(
    "handler group", r"(?!all$)[^\s/\\][^/\\]*", "text without slashes, but `all`", "bad-name", 255, "text"
)
NODE_REFERENCE = Text("node", r"[a-z0-9/-]+", "`site/node`", "bad-reference")
END_REFERENCE = Text("end", r"[a-z0-9/-]+", "a site, `site/node`, a node of this site, or `any`", "bad-reference")
VERSION = Text("version", r"[0-9]+\.[0-9]+(\.[0-9]+){0,2}", "a version such as 4.8.0", "bad-version")

COMPONENTS = (
    "server",
    "sql",
    "handler",
    "updates",
    "router",
    "dns",
    "agent",
    "relay",
    "superagent",
    "repository",
    "pushable",
    "swarm",
)
PLATFORMS = ("Linux", "AIX")
COMPONENTS_LATER = {
    "tracker": "leave the ticket tracker out for now",
    "mail": "leave the mail server out for now",
}
MANAGEMENT_LATER = {
    "tags": "put systems into groups instead",
    "responses": "leave automatic responses out for now",
    "users": "leave console users out for now; the lab has one administrator",
}
_OTHER_REPOSITORY = "use `superagent`, a repository that the server replicates to"
REPOSITORY_TYPES_LATER = dict.fromkeys(("http", "ftp", "unc"), _OTHER_REPOSITORY)
TASK_TYPES_LATER = {"deployment": "use `update`", "wakeup": "wake systems up through the server"}
