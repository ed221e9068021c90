//! Standard output, as one of the places that lines go to. Who reads it may
//! hold the logger back, but if nobody does, the logs go on without it.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::stdio::stdout;
use upkeep_cli::Exit;
use upkeep_logdir::Voice;

/// As many bytes are gathered.
const GATHERED: usize = 32 * 1024;

/// What is to be written there.
pub(crate) struct Outlet {
    gathered: Vec<u8>,
    /// Whether it was said that it does not work.
    said: bool,
}

impl Outlet {
    /// Nothing yet.
    pub(crate) fn new(voice: &mut Voice) -> Result<Self, Exit> {
        let mut gathered = Vec::new();
        gathered.try_reserve_exact(GATHERED).map_err(|_| voice.out_of_memory())?;
        Ok(Self { gathered, said: false })
    }

    /// Takes more.
    pub(crate) fn put(&mut self, bytes: &[u8], voice: &mut Voice) {
        if self.gathered.len() + bytes.len() > GATHERED {
            self.write_out(voice);
        }
        if bytes.len() > GATHERED {
            self.write(bytes, voice);
        } else {
            self.gathered.extend_from_slice(bytes);
        }
    }

    /// Writes what is there.
    pub(crate) fn write_out(&mut self, voice: &mut Voice) {
        let mut gathered = core::mem::take(&mut self.gathered);
        self.write(&gathered, voice);
        gathered.clear();
        self.gathered = gathered;
    }

    fn write(&mut self, mut bytes: &[u8], voice: &mut Voice) {
        while !bytes.is_empty() {
            match rustix::io::write(stdout(), bytes) {
                Ok(n) => {
                    bytes = &bytes[n..];
                    self.said = false;
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    let mut fds = [PollFd::from_borrowed_fd(stdout(), PollFlags::OUT)];
                    let _ = poll(&mut fds, None);
                }
                Err(why) => {
                    if !core::mem::replace(&mut self.said, true) {
                        voice.warn(&[b"unable to write to standard output: "], why);
                    }
                    return;
                }
            }
        }
    }
}
