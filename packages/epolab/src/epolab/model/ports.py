"""Which ports the components listen on (domain: port table; agent 4.8 with the relay on its service-manager port)."""

DNS = 53
HTTP = 80
HTTPS = 443
CONSOLE = 8443
SQL = 5432
AGENT_WAKEUP = 8081
BROADCAST = 8082
RELAY = 8083
SSH = 22

RELAY_DISCOVERY = (BROADCAST, RELAY)
DISCOVERY_GROUP_V6 = "ff02::6d65"
EVERYWHERE_V4 = "0.0.0.0/0"
EVERYWHERE_V6 = "::/0"
LINK_LOCAL_V6 = "fe80::/10"
