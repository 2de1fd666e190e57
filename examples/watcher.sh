#!/bin/sh
# An event listener: says READY, takes an event (a line of headers, then `len` bytes), answers OK.
# stdout belongs to the protocol, so notes go to stderr.
printf 'READY\n'
while read -r header; do
    body=$(dd bs=1 count="${header##*len:}" 2>/dev/null)
    echo "$(date +%T) ${header##*eventname:} | $body" >&2
    printf 'RESULT 2\nOKREADY\n'
done
