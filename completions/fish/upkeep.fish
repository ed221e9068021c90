# Completion for fish: options, as each program's --help has them, and the names
# of the services in $SVDIR, /etc/service and /service.

# Prints a line for each option: the option, what its value is called if it has
# one, and what it does, with tabs between them.
function __upkeep_table
    # Of other suites it starts services, whatever it is told.
    if string match -q -r '(^|/)svscanboot$' -- $argv[1]
        printf '%s\t\t\n' -h --help --version
        return
    end
    type -q $argv[1]; or return
    $argv[1] --help 2>/dev/null </dev/null | awk '/^ +-/ {
		sub(/^ +/, ""); does = ""; value = ""
		if (match($0, /  +/)) {
			does = substr($0, RSTART + RLENGTH); $0 = substr($0, 1, RSTART - 1)
		}
		n = split($0, words, /,? /)
		for (i = 1; i <= n; i++) if (words[i] !~ /^-/) value = words[i]
		for (i = 1; i <= n; i++)
			if (words[i] ~ /^(-[A-Za-z0-9\/][A-Za-z0-9]?|--[a-z][a-z-]*)$/)
				print words[i] "\t" value "\t" does
	}'
end

# What fish shows: an option, and what it does.
function __upkeep_options
    __upkeep_table $argv[1] | string replace -r '\t[^\t]*\t' '\t'
end

function __upkeep_services
    for dir in $SVDIR /etc/service /service
        for service in $dir/*/
            string replace -r '.*/([^/]+)/$' '$1' -- $service
        end
    end
end

# Prints what stands where the word is that is being written: option, value and
# the option before it, or how many arguments there are before it.
function __upkeep_place
    set -l words (commandline -opc)
    set -l table (__upkeep_table $words[1])
    set -l at 0
    set -l value
    for word in $words[2..]
        if test -n "$value"
            set value
        else if test $at = 0; and string match -q -- '-?*' $word
            set value (string match -r -- "^"(string escape --style=regex -- $word)"\t.+\t" $table | string split -f 1 \t)
        else
            set at (math $at + 1)
        end
    end
    if test -n "$value"
        echo value $value
    else if test $at = 0; and string match -q -- '-*' (commandline -ct)
        echo option
    else
        echo argument $at
    end
end

function __upkeep_is_option
    test (__upkeep_place) = option
end

# Whether it is an argument, and which: behind the first one with -gt.
function __upkeep_is_argument
    set -l place (__upkeep_place | string split ' ')
    test $place[1] = argument
    and begin
        test (count $argv) = 0
        or test $place[2] $argv
    end
end

function __upkeep_is_value
    set -l place (__upkeep_place | string split ' ')
    test $place[1] = value
    and contains -- $place[2] $argv
end

# Whether it is a value that names no file.
function __upkeep_is_number
    set -l place (__upkeep_place | string split ' ')
    test $place[1] = value
    and not contains -- $place[2] -e -C -/ -l -L --install -b --bin -d --dir -R --root
end

for program in svscan supervise svc svstat multilog svcheck svhold svlines svlog svlogd s6-log svnotify svok svup svwait \
        sv chpst fghack pgrphack readproctitle tai64n tai64nlocal setuidgid envuidgid envdir softlimit \
        setlock svboot svscanboot upkeep
    complete -c $program -n __upkeep_is_option -f -a "(__upkeep_options $program)"
    complete -c $program -n __upkeep_is_number -f
end
for program in svc svstat svok svup svwait svcheck svlog
    complete -c $program -n __upkeep_is_argument -f -a '(__upkeep_services)'
    complete -c $program -n __upkeep_is_argument -f -a '(__fish_complete_directories)'
end
complete -c svcheck -n '__upkeep_is_value -x' -f -a '(svcheck -l | string replace -r "^(\S+)\s+(\S+)\s+" "\$1\t")'
complete -c svlog -n '__upkeep_is_value -c --color' -f -a 'always never auto'
complete -c svlog -n '__upkeep_is_value -t --time' -f -a 'local utc raw none'
complete -c svlog -n '__upkeep_is_value -C' -f
complete -c chpst -n '__upkeep_is_value -u -U' -f -a '(__fish_complete_users)'
complete -c svscan -n '__upkeep_is_value -S --state -d --env' -f -a '(__fish_complete_directories)'
complete -c sv -n '__upkeep_is_argument -eq 0' -f -a 'status up down once pause cont hup alarm
    interrupt quit 1 2 term kill exit start stop reload restart shutdown force-stop force-reload
    force-restart force-shutdown try-restart check'
complete -c sv -n '__upkeep_is_argument -gt 0' -f -a '(__upkeep_services)'
for program in supervise svscan svlogd
    complete -c $program -n __upkeep_is_argument -f -a '(__fish_complete_directories)'
end
complete -c svboot -n __upkeep_is_argument -f -a '(svboot --list | string replace -r "^(\S+)\s+" "\$1\t")'
complete -c upkeep -n '__upkeep_is_argument -eq 0' -f -a '(upkeep --list)'
complete -c svnotify -n __upkeep_is_argument -f -a 'ready reloading stopping alive STATUS='
for program in setuidgid envuidgid
    complete -c $program -n '__upkeep_is_argument -eq 0' -f -a '(__fish_complete_users)'
    complete -c $program -n '__upkeep_is_argument -gt 0' -f -a '(complete -C (commandline -ct))'
end
complete -c envdir -n '__upkeep_is_argument -eq 0' -f -a '(__fish_complete_directories)'
for program in envdir setlock
    complete -c $program -n '__upkeep_is_argument -gt 0' -f -a '(complete -C (commandline -ct))'
end
for program in chpst softlimit pgrphack fghack
    complete -c $program -n __upkeep_is_argument -f -a '(complete -C (commandline -ct))'
end
