#!/bin/bash
# Asks nginx for a page and counts the answers in redis, once a second. Ends when one of them is away.
set -eu
shopt -s inherit_errexit

page() {
    exec 3<>"/dev/tcp/127.0.0.1/$WEB_PORT"
    printf 'GET / HTTP/1.0\r\n\r\n' >&3
    tail -n 1 <&3
    exec 3>&-
}

count() {
    exec 4<>"/dev/tcp/127.0.0.1/$REDIS_PORT"
    printf 'INCR pages\r\n' >&4
    IFS=$'\r' read -r answer _ <&4
    exec 4>&-
    echo "${answer#:}"
}

while :; do
    text=$(page)
    number=$(count)
    echo "page $number: $text"
    sleep 1
done
