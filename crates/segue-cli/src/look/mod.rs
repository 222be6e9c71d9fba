//! Commands that look into running hosts through their control sockets: `ss`, `nstat`, `sysctl`.

mod nstat;
mod ss;
mod sysctl;

use clap::Args;
use segue::control::{Answer, ControlError, Endpoint, Request, endpoints};

use crate::fail::Fail;

pub(crate) use nstat::{NstatArgs, nstat};
pub(crate) use ss::{SsArgs, ss};
pub(crate) use sysctl::{SysctlArgs, sysctl};

/// Which of the running hosts.
#[derive(Args)]
struct Which {
    /// Only the hosts of this process. Default: of every Segue process of this user.
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,

    /// Only hosts with this name: `program` is the one that programs run on, `gateway` the other end of its path.
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
}

impl Which {
    /// The hosts meant; at least one.
    fn find(&self) -> Result<Vec<Endpoint>, Fail> {
        let all = endpoints().map_err(|error| Fail::new(1, format!("cannot look for running hosts: {error}")))?;
        let wanted = |endpoint: &Endpoint| {
            self.pid.is_none_or(|pid| pid == endpoint.pid)
                && self.host.as_ref().is_none_or(|name| *name == endpoint.name)
        };
        let found: Vec<Endpoint> = all.iter().filter(|endpoint| wanted(endpoint)).cloned().collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let message = match all.as_slice() {
            [] => "no host is running: start one with segue run or segue serve".to_owned(),
            all => {
                let names: Vec<String> = all.iter().map(title).collect();
                format!("no such host; running are: {}", names.join(", "))
            }
        };
        Err(Fail::new(1, message))
    }
}

/// How a host is called where there are several.
fn title(endpoint: &Endpoint) -> String {
    format!("{} of process {}", endpoint.name, endpoint.pid)
}

fn ask(endpoint: &Endpoint, request: &Request) -> Result<Answer, Fail> {
    endpoint.ask(request).map_err(|error| failed(endpoint, &error))
}

fn failed(endpoint: &Endpoint, error: &ControlError) -> Fail {
    match error {
        ControlError::Refused(message) => Fail::new(1, message),
        error => Fail::new(1, format!("{} does not answer: {error}", title(endpoint))),
    }
}

/// The host answered something else.
fn strange(endpoint: &Endpoint) -> Fail {
    Fail::new(1, format!("{} answers something else than was asked: is it another version?", title(endpoint)))
}
