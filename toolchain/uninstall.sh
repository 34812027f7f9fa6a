#!/bin/sh
# Takes away what set-up made: every lab of this user, the images, our Docker engine, the caches and .venv.
set -eu
. "$(dirname "$0")/lib.sh"
cd "$repository"

say "This removes all labs of this user, the images named epolab/*, the Docker engine that set-up started (if it did),"
say "$cache, $engine_home and .venv."
agreed "Go on?" || fail "nothing was done"
if engine_answers && [ -x .venv/bin/epolab ]; then
    .venv/bin/epolab sweep --all </dev/null
fi
if engine_answers; then
    # the newest come first, so that none goes before those that were built upon it
    images=$(docker images -q --filter label=epolab.image | awk '!seen[$0]++')
    [ -z "$images" ] || docker rmi -f $images >/dev/null
fi
sh toolchain/engine.sh stop
packages=$(sort -u "$engine_home/installed-packages" 2>/dev/null | tr '\n' ' ')
as_root rm -rf --one-file-system "$engine_home" "$engine_run"
rm -rf "$cache" .venv
say "Done."
[ -z "$packages" ] || say "Debian packages that set-up installed, should nothing else need them: apt-get remove $packages"
