//! What becomes of services, as JSON, a line for each change.

use crate::svstat::fields::Value;
use crate::svstat::gather::Seen;
use crate::svstat::json::Object;
use crate::svstat::outlet::Outlet;
use crate::svstat::watch::{Listener, News, What};
use rustix::io::Errno;
use std::borrow::Cow;

pub(crate) struct Events;

impl Listener for Events {
    fn hear(&mut self, news: &News<'_>, outlet: &mut Outlet) -> Result<(), Errno> {
        let mut line = Vec::new();
        write(&mut line, news);
        outlet.write(&line)
    }

    fn settle<'a>(
        &mut self,
        _: impl Iterator<Item = &'a Seen> + Clone,
        _: &mut Outlet,
    ) -> Result<(), Errno> {
        Ok(())
    }
}

fn write(line: &mut Vec<u8>, news: &News<'_>) {
    let word: &[u8] = match news.what {
        What::Seen => b"seen",
        What::Changed => b"changed",
        What::Came => b"came",
        What::Went => b"went",
    };
    let mut object = Object::begin(line);
    object.put("event", &Value::Text(Some(Cow::Borrowed(word))));
    object.put("time", &Value::Moment(Some(news.seen.at)));
    object.put("supervise_ended", &Value::Flag(Some(news.supervise_ended)));
    object.put("missed", &Value::Number(news.missed));
    object.service(news.seen);
    object.end();
    line.push(b'\n');
}
