//! stub
use upkeep_cli::Tool;
pub const TOOL: Tool = Tool { name: "svlog", help: "usage: svlog name ...\n" };
