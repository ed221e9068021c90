//! What svscan says of itself.

use upkeep_cli::Tool;

pub(crate) const TOOL: Tool = Tool {
    name: "svscan",
    help: "\
usage: svscan [options] [dir] [-- command [argument ...]]

Starts a supervise for each service directory in dir (or here), and one for
its log directory, with a pipe between the two. Sees at once what is added to
dir. A name that begins with a dot is left alone.

With a command, runs that when the services are ready, hands it all signals,
takes everything down when it ends, and exits with its code. With a command
and no dir it is a small process 1 for that command.

  -d, --env dir           add the variables in dir, as envdir does
  -e, --expect code       an exit code of the command that counts as 0
  -E, --clean-env         services get PATH and what --env adds, and no more
  -F, --secrets           NAME_FILE=/path becomes NAME= what is in that file
  -g, --group             signals are for the command's process group
  -k, --stop signal       what begins the stop, beside PWR; else TERM
  -l, --lines             show what services without a logger write, and what
                          all but loggers complain of, as whole lines
  -L, --log dir           have all that logged to dir, and only with -l or -n
                          shown too, which waits for the log
  -m, --machine           be process 1 of a machine
  -n, --names             as -l, with the name of the service in front
  -p, --parent-death signal   what svscan gets when its parent ends
  -P, --pause             no dir and no command: only reap, until a signal
  -r, --rewrite from=to   hand the command this signal instead; 0 drops it
  -R, --rescue program    what is executed where svscan cannot go on
  -s                      does nothing: what it asks for is always done
  -S, --state dir         keep the state of all services in dir, and nothing in
                          their directories
  -t, --grace seconds     how long a stop takes before what is left is killed
  -T, --command-grace seconds   how much of that is the command's; else half
  -v, --verbose           say what is reaped, and what is forwarded
  -w, --warn              say what is reaped
  -x, --failure word      stop, warn or ignore where .svscan/init, services
                          that are to be ready, or .svscan/finish fail
  -y, --ready seconds     how long the command waits for services; else 60
      --halt              have process 1 halt the machine
      --poweroff          have it switch the machine off
      --reboot            have it restart the machine
  -h, --help              print this
      --version           print the version

    svscan /etc/service
    svscan /etc/service -- myapp --serve
    svscan -- myapp --serve

signals: TERM and INT take every service down, loggers last, and end svscan;
a second one kills what is left, as QUIT does at once. HUP takes down what is
no longer in dir. ALRM looks at dir now. USR1 has svscan and every supervise
execute their programs anew, as after an upgrade; no service notices. With a
command, all of these are the command's, and TERM stops everything too.
exit: the command's code, 128 and its number for a signal, 127 and 126 if it
is not there or cannot be run; an essential service's; else 0 after a stop.
100 usage, 111 dir cannot be entered.
",
};
