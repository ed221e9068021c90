//! Order among services: what is started when, and what goes before what.

mod after;
mod groups;
mod killed;
mod needs;
mod odd;
mod oneshots;
mod tree;
mod wants;
