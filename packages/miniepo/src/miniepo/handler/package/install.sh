#!/bin/sh
# Installs the agent from the unpacked package in the current directory. Run as root.
# With --skip-if-installed an agent that is there already is left alone; that is said by exit status 3.
# With --only-with-its-key a host that holds no agent's key is left alone: exit status 6. Its system belongs to an agent
# that had one, and nobody who makes a key anew may take it.
set -eu
umask 022
here=$(pwd)
for wish in "$@"; do
    case $wish in
        --skip-if-installed) [ ! -e /etc/miniepo/agent.json ] || exit 3 ;;
        --only-with-its-key) [ -e /var/lib/miniepo/agent/agent.key ] || exit 6 ;;
    esac
done
[ -x /opt/miniepo/venv/bin/python ] || { echo "this host has nothing to run the agent with" >&2; exit 4; }
fqdn=$(hostname --fqdn)
rm -rf /opt/miniepo/pushed.new
mkdir -p /opt/miniepo/pushed.new /etc/miniepo/keys /etc/miniepo/tls /var/log/miniepo
cp -R release/. /opt/miniepo/pushed.new/
chmod -R u=rwX,go=rX /opt/miniepo/pushed.new
rm -rf /opt/miniepo/pushed
mv /opt/miniepo/pushed.new /opt/miniepo/pushed
[ -d /opt/miniepo/lib ] && [ ! -L /opt/miniepo/lib ] && rmdir /opt/miniepo/lib
ln -sfn pushed /opt/miniepo/lib

install -m 0755 miniepo /usr/local/bin/miniepo
install -m 0644 ca.pem /etc/miniepo/ca.pem
install -m 0644 SiteList.xml /etc/miniepo/SiteList.xml
install -m 0644 assc.pub /etc/miniepo/keys/assc.pub
install -m 0400 -o mfeagent -g mfeagent enrolment.key /etc/miniepo/keys/enrolment.key
install -m 0644 agent.pem /etc/miniepo/tls/agent.pem
install -m 0400 -o mfeagent -g mfeagent agent.key /etc/miniepo/tls/agent.key
install -d -m 0711 -o mfeagent -g mfeagent /var/lib/miniepo/agent
install -d -m 0755 -o mfeagent -g mfeagent /var/lib/miniepo/repository
sed "s/@FQDN@/$fqdn/" agent.json >/etc/miniepo/agent.json
install -m 0700 uninstall.sh /opt/miniepo/uninstall-agent

for service in cmamesh cmdagent; do
    mkdir -p "/etc/sv/$service/supervise"
    touch "/etc/sv/$service/down"
    install -m 0755 "$service.run" "/etc/sv/$service/run"
    [ -L "/etc/service/$service" ] || ln -s "/etc/sv/$service" "/etc/service/$service"
    [ -L "/etc/init.d/$service" ] || ln -s /usr/bin/sv "/etc/init.d/$service"
done
# the agent starts and stops the relay process itself: the supervisor's pipe is its own
chmod 0755 /etc/sv/cmamesh/supervise
for pipe in control ok; do
    [ -p "/etc/sv/cmamesh/supervise/$pipe" ] || mkfifo -m 0600 "/etc/sv/cmamesh/supervise/$pipe"
    chown mfeagent "/etc/sv/cmamesh/supervise/$pipe"
done

# the supervisor looks for new services every five seconds
rounds=0
while ! sv status /etc/sv/cmdagent >/dev/null 2>&1; do
    rounds=$((rounds + 1))
    [ "$rounds" -le 100 ] || { echo "no supervisor took the agent" >&2; exit 5; }
    sleep 0.1
done
rm -f /etc/sv/cmdagent/down
sv restart /etc/sv/cmdagent >/dev/null
cd /
rm -rf "$here"
