#!/bin/sh
# A redis-server that outlives a limit on the size of its files: the write fails, as on a full disk.
trap '' XFSZ
exec redis-server "$@"
