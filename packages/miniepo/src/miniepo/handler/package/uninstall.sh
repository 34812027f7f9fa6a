#!/bin/sh
# Takes a pushed agent off the host again, with its identity. Run as root.
set -u
for service in cmdagent cmamesh; do
    touch "/etc/sv/$service/down"
    sv -w 10 force-stop "/etc/sv/$service" >/dev/null 2>&1
    rm -f "/etc/sv/$service/run"
done
rm -rf /var/lib/miniepo/agent /var/lib/miniepo/repository /opt/miniepo/pushed
rm -f /opt/miniepo/lib /usr/local/bin/miniepo /etc/miniepo/agent.json /etc/miniepo/SiteList.xml \
    /etc/miniepo/keys/assc.pub /etc/miniepo/keys/enrolment.key /etc/miniepo/tls/agent.pem /etc/miniepo/tls/agent.key \
    /var/log/miniepo/cmdagent.log /var/log/miniepo/cmamesh.log /opt/miniepo/uninstall-agent
exit 0
