#!/bin/sh
# A PostgreSQL of one's own for the tests, in a folder, on a free port of this machine.
#
#   DRILLBOT_TEST_POSTGRES=$(tests/postgres.sh start DIR)   prints postgres://drill@127.0.0.1:PORT/postgres
#   tests/postgres.sh halt DIR, resume DIR                  lets it go away for a while, at the same address
#   tests/postgres.sh stop DIR                              stops it and removes what start made
set -eu

say() { echo "postgres.sh: $*" >&2; exit 1; }

[ $# -eq 2 ] || say "use: $0 start DIR | halt DIR | resume DIR | stop DIR"
what=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)
data=$dir/data

bin=
for folder in "$(dirname "$(command -v initdb || echo /nowhere/initdb)")" $(ls -d /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql*/bin 2>/dev/null | sort -rV); do
    if [ -x "$folder/initdb" ] && [ -x "$folder/pg_ctl" ]; then bin=$folder; break; fi
done
[ -n "$bin" ] || say "no initdb and pg_ctl in PATH nor in /usr/lib/postgresql/*/bin; install the PostgreSQL server (apt install postgresql)"

# PostgreSQL refuses to run as root.
as_owner() {
    if [ "$(id -u)" -eq 0 ]; then
        id postgres >/dev/null 2>&1 || say "root cannot run PostgreSQL and there is no user postgres; run this as another user"
        (cd / && setpriv --reuid=postgres --regid=postgres --clear-groups env HOME="$dir" "$@")
    else
        "$@"
    fi
}

free_port() {
    if command -v python3 >/dev/null 2>&1; then
        python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
    else
        # Nothing asks the system for a free port in plain sh: take one by chance, and start tries another if it is taken.
        echo $((20000 + ($$ * 7 + $(date +%S) * 331 + $1 * 97) % 12000))
    fi
}

case $what in
start)
    [ ! -e "$data" ] || say "$data exists already; stop it first: $0 stop $2"
    if [ "$(id -u)" -eq 0 ]; then
        chown postgres: "$dir"
        as_owner test -x "$dir" || say "the user postgres cannot enter $dir; name a folder like /tmp/drillbot-postgres"
    fi
    as_owner "$bin/initdb" -D "$data" -U drill --auth=trust --encoding=UTF8 --locale=C >"$dir/initdb.log" 2>&1 ||
        { cat "$dir/initdb.log" >&2; say "initdb failed"; }
    for try in 1 2 3 4 5; do
        port=$(free_port $try)
        if as_owner "$bin/pg_ctl" -D "$data" -w -t 60 -l "$dir/server.log" \
            -o "-h 127.0.0.1 -p $port -k '$dir' -c fsync=on -c max_connections=200" start >"$dir/start.log" 2>&1; then
            echo "postgres://drill@127.0.0.1:$port/postgres"
            exit 0
        fi
    done
    cat "$dir/start.log" "$dir/server.log" >&2
    say "the server does not start"
    ;;
halt)
    as_owner "$bin/pg_ctl" -D "$data" -m fast -w stop >/dev/null
    ;;
resume)
    # With the options of the last start.
    as_owner "$bin/pg_ctl" -D "$data" -w -t 60 -l "$dir/server.log" restart >/dev/null 2>&1
    ;;
stop)
    [ -e "$data" ] || exit 0
    as_owner "$bin/pg_ctl" -D "$data" -m immediate -w stop >/dev/null 2>&1 || true
    rm -rf "$data" "$dir/initdb.log" "$dir/start.log" "$dir/server.log"
    ;;
*)
    say "use: $0 start DIR | halt DIR | resume DIR | stop DIR"
    ;;
esac
