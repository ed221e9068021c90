//! What svstat was asked for: in which form, and of which services.

use crate::svstat::events::Events;
use crate::svstat::fields::{self, Field, Value};
use crate::svstat::follow::follow;
use crate::svstat::gather::{Seen, gather};
use crate::svstat::json::{Object, VERSION};
use crate::svstat::line;
use crate::svstat::outlet::Outlet;
use crate::svstat::table::{Look, Table};
use crate::svstat::terminal;
use crate::svstat::watch::watch;
use core::ffi::CStr;
use rustix::io::{Errno, fcntl_getfd};
use std::ffi::CString;
use upkeep_cli::{Exit, Options, Out, Tool};
use upkeep_core::glob::is_pattern;
use upkeep_core::tai::Tai64n;
use upkeep_servicedir::{Finder, go_to_services, list_services, services};
use upkeep_sys::{Args, clock, localtime};

pub(crate) const TOOL: Tool = Tool {
    name: "svstat",
    help: "\
usage: svstat service ...
       svstat -t | -j [service ...]
       svstat -f | -e [service ...]
       svstat -o field[,field ...] [service ...]

Prints a line for each service: up or down, since how many seconds, the
process, and what differs from what was asked for; and another one for a
logger that is a file log. A name without a slash
that is no directory here is looked up in $SVDIR, /etc/service and /service,
and may be a pattern: 'web-*'.

  -t             a table that fits the terminal
  -j             all that is known, as JSON
  -f             a table that goes on: it shows each change, until it is
                 interrupted
  -e             changes as JSON, a line for each, after one for each service
  -o fields      only these fields, a line for each service
  -h, --help     print this
      --version  print the version

With an option and no service: all services in $SVDIR, /etc/service or
/service, whichever is there first, each with its logger.

    svstat /service/*
    /service/myapp: up (pid 4711) 86400 seconds
    /service/other: down 3 seconds, normally up, want up

    svstat -o name,state,pid,exit_code
    myapp up 4711 -1
    other waiting -1 1

exit: 0 always, unless an option or a field is unknown: 100; or the current
directory or that of all services cannot be opened, or what was asked for with
an option cannot be written: 111.
",
};

const SYNOPSIS: &str = "svstat service ... | svstat -t | -f | -j | -e | -o fields [service ...]";

/// How it is shown, if not as the line.
enum Form {
    Table,
    Follow,
    Json,
    Events,
    Fields(Vec<Field>),
}

pub(crate) fn run(args: Args) -> Exit {
    if let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    if !asks(args) {
        return show(None, args.skip(1)).err().unwrap_or(Exit::Success);
    }
    let mut options = Options::strict(args, "efjo:t");
    let mut form = None;
    for option in options.by_ref() {
        let asked = match option.map(|option| (option.letter, option.value)) {
            Ok((b'o', Some(list))) => match fields::parse(list.to_bytes()) {
                Ok(fields) => Form::Fields(fields),
                Err(name) => return unknown(name),
            },
            Ok((b'e', _)) => Form::Events,
            Ok((b'f', _)) => Form::Follow,
            Ok((b't', _)) => Form::Table,
            Ok(_) => Form::Json,
            Err(bad) => return TOOL.bad_option(bad, SYNOPSIS),
        };
        form = match (form, asked) {
            (None, asked) => Some(asked),
            // What goes on is a table and JSON as well.
            (Some(Form::Table), Form::Follow) | (Some(Form::Follow), Form::Table) => {
                Some(Form::Follow)
            }
            (Some(Form::Json), Form::Events) | (Some(Form::Events), Form::Json) => {
                Some(Form::Events)
            }
            (Some(_), _) => return TOOL.usage(SYNOPSIS),
        };
    }
    let done = show(form, options.rest());
    done.err().unwrap_or(Exit::Success)
}

/// Whether the first argument begins like an option. Everything else is a
/// service, as it is for the original.
fn asks(args: Args) -> bool {
    let first = args.get(1).map_or(b"".as_slice(), CStr::to_bytes);
    matches!(first, [b'-', b'e' | b'f' | b'j' | b'o' | b't', ..])
}

fn show(form: Option<Form>, services: Args) -> Result<(), Exit> {
    let mut out = Out::to(rustix::stdio::stdout());
    let Some(form) = form else {
        let done = lines(&mut out, services);
        // As with the original, nobody is told that standard output does not work.
        let _ = out.flush();
        return done;
    };
    // Where it is closed, what is opened next would be taken for it.
    fcntl_getfd(rustix::stdio::stdout()).map_err(unwritable)?;
    match form {
        Form::Table => table(&mut out, services),
        Form::Json => json(&mut out, services),
        Form::Fields(fields) => each(services, |seen| {
            let mut line = Vec::new();
            fields::print(&mut line, &fields, &seen);
            out.push(&line)
        }),
        Form::Follow => follow(services),
        Form::Events => watch(services, &mut Outlet::open(false)?, &mut Events),
    }?;
    out.flush().map_err(unwritable)
}

fn unknown(name: &[u8]) -> Exit {
    let names = fields::names();
    let name = if name.is_empty() { b"\"\"" } else { name };
    let _ = TOOL.fatal(&[b"unknown field ", name, b"; there are: ", names.as_bytes()]);
    Exit::Usage
}

fn lines(out: &mut Out<'_>, args: Args) -> Result<(), Exit> {
    let finder = Finder::new().map_err(no_start)?;
    let mut one = |service: &CStr| {
        // Nobody can be told that standard output does not work.
        let _ = line::line(out, service);
        finder.back().map_err(no_way_back)
    };
    for service in args.iter() {
        // A name alone asks for no memory.
        if is_pattern(service.to_bytes()) {
            services(service).iter().try_for_each(|service| one(service))?;
        } else {
            one(service)?;
        }
    }
    Ok(())
}

fn json(out: &mut Out<'_>, args: Args) -> Result<(), Exit> {
    let mut text = Vec::new();
    let mut head = Object::begin(&mut text);
    head.put("version", &Value::Number(Some(VERSION)));
    head.put("time", &Value::Moment(Some(now())));
    text.extend_from_slice(b",\"services\":[");
    let mut parted: &[u8] = b"\n";
    each(args, |seen| {
        text.extend_from_slice(core::mem::replace(&mut parted, b",\n"));
        let mut object = Object::begin(&mut text);
        object.service(&seen);
        object.end();
        let pushed = out.push(&text);
        text.clear();
        pushed
    })?;
    text.extend_from_slice(b"\n]}\n");
    out.push(&text).map_err(unwritable)
}

fn table(out: &mut Out<'_>, args: Args) -> Result<(), Exit> {
    let mut services = Vec::new();
    each(args, |seen| {
        services.push(seen);
        Ok(())
    })?;
    let table = Table::of(services.iter(), look(false));
    let mut text = Vec::new();
    table.head(&mut text);
    services.iter().for_each(|seen| table.row(&mut text, seen));
    out.push(&text).map_err(unwritable)
}

/// How a table is to look here.
pub(crate) fn look(since: bool) -> Look {
    let width = terminal::size().0;
    Look { width, colours: upkeep_cli::terminal::has_colours(), since, local: localtime::local }
}

/// Gives `show` all that is known of each service that was named, or of all.
/// An error of it, who cannot write, ends this.
fn each(args: Args, mut show: impl FnMut(Seen) -> Result<(), Errno>) -> Result<(), Exit> {
    let all = args.is_empty();
    let named = if all { all_services()? } else { args.iter().flat_map(services).collect() };
    let finder = Finder::new().map_err(no_start)?;
    for service in &named {
        gather(&finder, service, all, &mut show).map_err(no_way_back)?.map_err(unwritable)?;
    }
    Ok(())
}

/// The names of all services, in whose directory this now is.
pub(crate) fn all_services() -> Result<Vec<CString>, Exit> {
    let found = go_to_services().and_then(|()| list_services());
    found.map_err(|why| TOOL.fatal_os(&[b"unable to read $SVDIR, /etc/service or /service: "], why))
}

pub(crate) fn unwritable(why: Errno) -> Exit {
    TOOL.unwritable(why)
}

pub(crate) fn no_start(why: Errno) -> Exit {
    TOOL.fatal_os(&[b"unable to open current directory: "], why)
}

pub(crate) fn no_way_back(why: Errno) -> Exit {
    TOOL.fatal_os(&[b"unable to set directory: "], why)
}

fn now() -> Tai64n {
    let (seconds, nanos) = clock::wall();
    Tai64n::from_unix(seconds, nanos)
}
