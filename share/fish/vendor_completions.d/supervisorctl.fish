# Completion of supervisorctl(1) for fish. Made from the tables of the program (cargo run -p supervisor-bin --example manual).

function __supervisorctl_action
    set -l tokens (commandline -opc)
    set -l previous ""
    for token in $tokens[2..-1]
        if test -n "$previous"
            set previous ""
        else if contains -- $token -c --configuration -s --serverurl -u --username -p --password -r --history_file
            set previous $token
        else if not string match -q -- '-*' $token
            echo $token
            return
        end
    end
end

function __supervisorctl_needs_action
    test -z "$(__supervisorctl_action)"
end

function __supervisorctl_action_is
    contains -- "$(__supervisorctl_action)" $argv
end

function __supervisorctl_ask
    set -l server
    set -l previous ""
    for token in (commandline -opc)[2..-1]
        if test -n "$previous"
            set -a server $previous $token
            set previous ""
        else if contains -- $token -c --configuration -s --serverurl -u --username -p --password
            set previous $token
        end
    end
    command supervisorctl $server $argv 2>/dev/null </dev/null
end

function __supervisorctl_processes
    __supervisorctl_ask status | awk '$2 ~ /^(STOPPED|STARTING|RUNNING|BACKOFF|STOPPING|EXITED|FATAL|UNKNOWN)$/ { print $1 }' | awk '{ print } sub(/:.*/, ":*") && !seen[$0]++'
end

function __supervisorctl_groups
    __supervisorctl_ask status | awk '$2 ~ /^(STOPPED|STARTING|RUNNING|BACKOFF|STOPPING|EXITED|FATAL|UNKNOWN)$/ { print $1 }' | awk '{ sub(/:.*/, "") } !seen[$0]++'
end

function __supervisorctl_configured_groups
    __supervisorctl_ask avail | awk '$2 == "in" && $3 == "use" || $2 == "avail" { print $1 }' | awk '{ sub(/:.*/, "") } !seen[$0]++'
end

complete -c supervisorctl -f
complete -c supervisorctl -n __supervisorctl_needs_action -s 'c' -l configuration -r -F -d 'read [supervisorctl] of this file (default: the first supervisord.conf found)'
complete -c supervisorctl -n __supervisorctl_needs_action -s 'h' -s '?' -l help -d 'show this text'
complete -c supervisorctl -n __supervisorctl_needs_action -s 'i' -l interactive -d 'open a shell (done anyway where no action is given)'
complete -c supervisorctl -n __supervisorctl_needs_action -s 's' -l serverurl -x -d 'where supervisord is: http://HOST[:PORT] or unix:///PATH (default: http://localhost:9001)'
complete -c supervisorctl -n __supervisorctl_needs_action -s 'u' -l username -x -d 'user name for the server'
complete -c supervisorctl -n __supervisorctl_needs_action -s 'p' -l password -x -d 'password for the server'
complete -c supervisorctl -n __supervisorctl_needs_action -s 'r' -l history_file -r -F -d 'keep the lines typed into the shell in this file'
complete -c supervisorctl -n __supervisorctl_needs_action -l json -d 'answer with one JSON document'
complete -c supervisorctl -n __supervisorctl_needs_action -a add -d 'Make groups of the last read configuration active and start what autostarts'
complete -c supervisorctl -n __supervisorctl_needs_action -a avail -d 'Show every configured process, in use or not'
complete -c supervisorctl -n __supervisorctl_needs_action -a clear -d 'Empty the log files of one process'
complete -c supervisorctl -n __supervisorctl_needs_action -a exit -d 'Leave the shell'
complete -c supervisorctl -n __supervisorctl_needs_action -a fg -d 'Show what a running process writes and send it what is typed, until Ctrl-C'
complete -c supervisorctl -n __supervisorctl_needs_action -a help -d 'List the commands'
complete -c supervisorctl -n __supervisorctl_needs_action -a logs -d 'Show the last lines of all logs, stdout and stderr'
complete -c supervisorctl -n __supervisorctl_needs_action -a maintail -d 'Show the last 1600 bytes of the log of supervisord'
complete -c supervisorctl -n __supervisorctl_needs_action -a open -d 'Talk to another supervisord from now on: http://HOST:PORT or unix:///PATH'
complete -c supervisorctl -n __supervisorctl_needs_action -a pid -d 'Show the process id of supervisord'
complete -c supervisorctl -n __supervisorctl_needs_action -a quit -d 'Leave the shell'
complete -c supervisorctl -n __supervisorctl_needs_action -a reload -d 'Restart supervisord: stop every process, read the configuration, start anew'
complete -c supervisorctl -n __supervisorctl_needs_action -a remove -d 'Make groups inactive; their processes must be stopped'
complete -c supervisorctl -n __supervisorctl_needs_action -a reread -d 'Read the configuration again and show what differs; apply nothing'
complete -c supervisorctl -n __supervisorctl_needs_action -a restart -d 'Stop one process, then start it; its configuration is not read again'
complete -c supervisorctl -n __supervisorctl_needs_action -a shutdown -d 'Stop every process, then supervisord itself'
complete -c supervisorctl -n __supervisorctl_needs_action -a signal -d 'Send a signal, by name or number, to one process'
complete -c supervisorctl -n __supervisorctl_needs_action -a start -d 'Start one process and wait until it runs'
complete -c supervisorctl -n __supervisorctl_needs_action -a status -d 'Show the state of one process'
complete -c supervisorctl -n __supervisorctl_needs_action -a stop -d 'Stop one process and wait for its end'
complete -c supervisorctl -n __supervisorctl_needs_action -a tail -d 'Show the last 1600 bytes of a log, of stdout if not said otherwise'
complete -c supervisorctl -n __supervisorctl_needs_action -a update -d 'Read the configuration again and apply it: remove, replace and add groups'
complete -c supervisorctl -n __supervisorctl_needs_action -a version -d 'Show the version of the running supervisord'
complete -c supervisorctl -n '__supervisorctl_action_is clear fg logs pid restart signal start status stop tail' -a '(__supervisorctl_processes)'
complete -c supervisorctl -n '__supervisorctl_action_is remove' -a '(__supervisorctl_groups)'
complete -c supervisorctl -n '__supervisorctl_action_is add update' -a '(__supervisorctl_configured_groups)'
complete -c supervisorctl -n '__supervisorctl_action_is help' -a 'add avail clear exit fg help logs maintail open pid quit reload remove reread restart shutdown signal start status stop tail update version'
complete -c supervisorctl -n '__supervisorctl_action_is avail' -l json -d 'answer with one JSON document'
complete -c supervisorctl -n '__supervisorctl_action_is logs' -s 'f' -l follow -d 'go on with what is written, until Ctrl-C'
complete -c supervisorctl -n '__supervisorctl_action_is logs' -s 'n' -l lines -x -d 'show the last N lines of each log (default: 10)'
complete -c supervisorctl -n '__supervisorctl_action_is pid' -l json -d 'answer with one JSON document'
complete -c supervisorctl -n '__supervisorctl_action_is reread' -l json -d 'answer with one JSON document'
complete -c supervisorctl -n '__supervisorctl_action_is restart' -l json -d 'answer with one JSON document'
complete -c supervisorctl -n '__supervisorctl_action_is signal' -l json -d 'answer with one JSON document'
complete -c supervisorctl -n '__supervisorctl_action_is start' -l json -d 'answer with one JSON document'
complete -c supervisorctl -n '__supervisorctl_action_is status' -l json -d 'answer with one JSON document'
complete -c supervisorctl -n '__supervisorctl_action_is stop' -l json -d 'answer with one JSON document'
complete -c supervisorctl -n '__supervisorctl_action_is update' -l json -d 'answer with one JSON document'
complete -c supervisorctl -n '__supervisorctl_action_is version' -l json -d 'answer with one JSON document'
