//! The folders, and how a request becomes an answer in them without being lost or doubled.
//!
//! ```text
//! req/A ──────────── answered ───┐  1  res/.B.part    written and on disk
//!                                │  2  res/.B.H.done  complete; H is the digest of what A held
//!                                │  3  req/A removed
//!                                └► 4  res/B          under the expected name
//! ```
//!
//! Whatever ends the agent between two steps, the next start goes on from the last one: a `.part` is
//! dropped and its request sent again, a `.done` becomes the answer and its request is removed.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};

use crate::wire::xml::Message;

/// Largest request, in octets: the service takes no larger one.
const OCTETS: u64 = 8 * 1024 * 1024;
/// How long a request may stay unfinished before it counts as unreadable.
const UNFINISHED: Duration = Duration::from_secs(10);
/// Where unreadable requests go, within the folder of requests.
const ASIDE: &str = "unreadable";
const LOCK: &str = ".shikaku-agent.lock";

/// The folders of requests and answers, held by one agent alone.
pub struct Folders {
    req: PathBuf,
    res: PathBuf,
    _lock: File,
}

/// A request that can be sent.
pub struct Request {
    /// Its file name.
    pub name: String,
    /// Its kind of message.
    pub message: Message,
    /// What it holds.
    pub octets: Vec<u8>,
}

/// What comes of looking at a file.
pub enum Taken {
    /// It can be sent.
    Request(Request),
    /// It is being written, or is gone.
    NotYet,
    /// It was moved aside.
    Aside,
}

impl Folders {
    /// Takes the folders over, and finishes what an earlier agent began.
    ///
    /// # Errors
    /// When a folder is not there or not writable, or another agent holds it.
    pub fn open(req: &Path, res: &Path) -> io::Result<Self> {
        let named = |path: &Path, error: io::Error| {
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        };
        for folder in [req, res] {
            fs::read_dir(folder).map_err(|error| named(folder, error))?;
        }
        let path = res.join(LOCK);
        let lock = File::create(&path).map_err(|error| named(&path, error))?;
        lock.try_lock().map_err(|_| named(&path, io::Error::other("another agent works on this folder")))?;
        let folders = Self { req: req.to_owned(), res: res.to_owned(), _lock: lock };
        folders.recover()?;
        Ok(folders)
    }

    fn recover(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.res)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with('.') && name.ends_with(".part") {
                fs::remove_file(&path)?;
            } else if let Some((answer, held)) = finished(name) {
                if let Some(request) = request_name(answer)
                    && fs::read(self.req.join(&request)).is_ok_and(|octets| hexadecimal(&octets) == held)
                {
                    remove(&self.req.join(request))?;
                }
                fs::rename(&path, self.res.join(answer))?;
            }
        }
        Ok(())
    }

    /// The names of the requests that wait, oldest name first.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn waiting(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.req)? {
            let Ok(name) = entry?.file_name().into_string() else { continue };
            // Files of other systems in the same folder are not ours.
            if name.starts_with("OQS") && name.to_ascii_lowercase().ends_with(".xml") {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Looks at one of them.
    ///
    /// # Errors
    /// When it can be neither read nor moved aside.
    pub fn take(&self, name: &str) -> io::Result<Taken> {
        let path = self.req.join(name);
        let Some(message) = message_of(name) else {
            return self.aside(name, "この名前の要求には対応していません (no message of this name is known)");
        };
        let mut octets = Vec::new();
        let read = File::open(&path).and_then(|file| {
            let age = file.metadata()?.modified()?;
            file.take(OCTETS + 1).read_to_end(&mut octets)?;
            Ok(age)
        });
        let modified = match read {
            Ok(modified) => modified,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Taken::NotYet),
            Err(error) => return self.aside(name, &format!("読み取れません (cannot be read: {error})")),
        };
        if octets.len() as u64 > OCTETS {
            return self.aside(name, "大きすぎます (too large)");
        }
        if octets.trim_ascii_end().ends_with(b"</XmlMsg>") {
            return Ok(Taken::Request(Request { name: name.to_owned(), message, octets }));
        }
        let is_old = modified.elapsed().is_ok_and(|age| age > UNFINISHED);
        if is_old {
            self.aside(name, "XML が途中で終わっています (the XML is not complete)")
        } else {
            Ok(Taken::NotYet)
        }
    }

    /// Moves a request aside, with a note of why.
    ///
    /// # Errors
    /// When it cannot be moved.
    pub fn aside(&self, name: &str, why: &str) -> io::Result<Taken> {
        let folder = self.req.join(ASIDE);
        fs::create_dir_all(&folder)?;
        let free = |count: u32| {
            let name = if count == 0 { name.to_owned() } else { format!("{name}.{count}") };
            Some(folder.join(name)).filter(|path| !path.exists())
        };
        let path = (0..).find_map(free).unwrap_or_else(|| folder.join(name));
        let mut note = path.clone().into_os_string();
        note.push(".txt");
        fs::write(note, format!("{why}\n"))?;
        match fs::rename(self.req.join(name), path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(Taken::Aside),
        }
    }

    /// Puts an answer in place of its request.
    ///
    /// # Errors
    /// When the disk is full or gone; then the request is still there.
    pub fn answer(&self, request: &Request, octets: &[u8]) -> io::Result<()> {
        let answer =
            answer_name(&request.name).ok_or_else(|| io::Error::other("a request without a name"))?;
        let part = self.res.join(format!(".{answer}.part"));
        write_durably(&part, octets)?;
        let done = self.res.join(format!(".{answer}.{}.done", hexadecimal(&request.octets)));
        fs::rename(&part, &done)?;
        remove(&self.req.join(&request.name))?;
        fs::rename(&done, self.res.join(answer))
    }
}

/// Writes a file that is there in whole or not at all.
pub(super) fn write_durably(path: &Path, octets: &[u8]) -> io::Result<()> {
    let written = File::create(path).and_then(|mut file| {
        file.write_all(octets)?;
        file.sync_data()
    });
    if written.is_err() {
        // What was written of it only takes room.
        let _ = fs::remove_file(path);
    }
    written
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The kind of message that a request's name begins with, followed by `req`.
fn message_of(name: &str) -> Option<Message> {
    name.contains("req").then(|| Message::named(name)).flatten()
}

/// `OQSsiquc01req_1.xml` is answered by `OQSsiquc01res_1.xml`.
fn answer_name(request: &str) -> Option<String> {
    let (kind, rest) = request.split_once("req")?;
    Some(format!("{kind}res{rest}"))
}

fn request_name(answer: &str) -> Option<String> {
    let (kind, rest) = answer.split_once("res")?;
    Some(format!("{kind}req{rest}"))
}

/// The answer's name and the request's digest in the name of a finished answer.
fn finished(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix('.')?.strip_suffix(".done")?.rsplit_once('.')
}

fn hexadecimal(octets: &[u8]) -> String {
    digest(&SHA256, octets).as_ref().iter().take(16).map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a file is made to look old by the clock")]
mod tests {
    use std::time::SystemTime;

    use super::*;

    const REQUEST: &str = "OQSsiquc01req_1.xml";
    const ANSWER: &str = "OQSsiquc01res_1.xml";

    struct Office {
        folder: tempfile::TempDir,
    }

    impl Office {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            for name in ["req", "res"] {
                fs::create_dir(folder.path().join(name)).unwrap();
            }
            Self { folder }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn open(&self) -> Folders {
            Folders::open(&self.path("req"), &self.path("res")).unwrap()
        }

        fn put(&self, name: &str, text: &str) {
            fs::write(self.path(name), text).unwrap();
        }

        fn files(&self, folder: &str) -> Vec<String> {
            let all = fs::read_dir(self.path(folder)).unwrap();
            let mut names: Vec<_> = all.map(|one| one.unwrap().file_name().into_string().unwrap()).collect();
            names.retain(|name| name != LOCK);
            names.sort();
            names
        }
    }

    #[test]
    fn a_request_gives_way_to_its_answer() {
        let office = Office::new();
        office.put(&format!("req/{REQUEST}"), "<XmlMsg>1</XmlMsg>\r\n");
        office.put("req/PMHsimsm01req_1.xml", "another system's");
        let folders = office.open();
        assert_eq!(folders.waiting().unwrap(), [REQUEST]);
        let Taken::Request(request) = folders.take(REQUEST).unwrap() else { panic!("not taken") };
        assert_eq!(request.message, Message::Query);
        folders.answer(&request, b"<XmlMsg>2</XmlMsg>").unwrap();
        assert_eq!(office.files("res"), [ANSWER]);
        assert_eq!(office.files("req"), ["PMHsimsm01req_1.xml"]);
        assert!(Folders::open(&office.path("req"), &office.path("res")).is_err(), "held by two");
    }

    #[test]
    fn a_start_goes_on_from_every_step() {
        let held = hexadecimal(b"<XmlMsg>1</XmlMsg>");
        // Killed while the answer was written: the request is sent again.
        let office = Office::new();
        office.put(&format!("req/{REQUEST}"), "<XmlMsg>1</XmlMsg>");
        office.put(&format!("res/.{ANSWER}.part"), "<Xml");
        assert_eq!(office.open().waiting().unwrap(), [REQUEST]);
        assert!(office.files("res").is_empty());
        // Killed before the request was removed, and after it.
        for request_is_there in [true, false] {
            let office = Office::new();
            if request_is_there {
                office.put(&format!("req/{REQUEST}"), "<XmlMsg>1</XmlMsg>");
            }
            office.put(&format!("res/.{ANSWER}.{held}.done"), "<XmlMsg>2</XmlMsg>");
            assert!(office.open().waiting().unwrap().is_empty(), "{request_is_there}");
            assert_eq!(office.files("res"), [ANSWER]);
        }
        // A new request of the same name is none that was answered.
        let office = Office::new();
        office.put(&format!("req/{REQUEST}"), "<XmlMsg>3</XmlMsg>");
        office.put(&format!("res/.{ANSWER}.{held}.done"), "<XmlMsg>2</XmlMsg>");
        assert_eq!(office.open().waiting().unwrap(), [REQUEST]);
    }

    #[test]
    fn a_full_disk_keeps_the_request() {
        let office = Office::new();
        office.put(&format!("req/{REQUEST}"), "<XmlMsg>1</XmlMsg>");
        let folders = office.open();
        let Taken::Request(request) = folders.take(REQUEST).unwrap() else { panic!("not taken") };
        // Every write to this device fails for want of room.
        std::os::unix::fs::symlink("/dev/full", office.path(&format!("res/.{ANSWER}.part"))).unwrap();
        let error = folders.answer(&request, b"<XmlMsg>2</XmlMsg>").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(folders.waiting().unwrap(), [REQUEST]);
        assert!(office.files("res").is_empty(), "nothing half written stays");
        folders.answer(&request, b"<XmlMsg>2</XmlMsg>").unwrap();
        assert_eq!((office.files("res"), office.files("req")), (vec![ANSWER.to_owned()], Vec::new()));
    }

    #[test]
    fn the_unreadable_goes_aside_with_a_note_and_the_unfinished_waits() {
        let office = Office::new();
        office.put("req/OQSsixyz01req_1.xml", "<XmlMsg/>");
        office.put(&format!("req/{REQUEST}"), "<XmlMsg>");
        let folders = office.open();
        assert!(matches!(folders.take("OQSsixyz01req_1.xml").unwrap(), Taken::Aside));
        assert!(matches!(folders.take(REQUEST).unwrap(), Taken::NotYet));
        assert!(matches!(folders.take("OQSsiquc01req_gone.xml").unwrap(), Taken::NotYet));
        let old = SystemTime::now() - UNFINISHED * 2;
        File::options()
            .write(true)
            .open(office.path(&format!("req/{REQUEST}")))
            .unwrap()
            .set_modified(old)
            .unwrap();
        assert!(matches!(folders.take(REQUEST).unwrap(), Taken::Aside));
        office.put(&format!("req/{REQUEST}"), "<a/>");
        folders.aside(REQUEST, "again").unwrap();
        assert_eq!(
            office.files("req/unreadable"),
            [
                "OQSsiquc01req_1.xml",
                "OQSsiquc01req_1.xml.1",
                "OQSsiquc01req_1.xml.1.txt",
                "OQSsiquc01req_1.xml.txt",
                "OQSsixyz01req_1.xml",
                "OQSsixyz01req_1.xml.txt"
            ]
        );
        assert_eq!(office.files("req"), ["unreadable"]);
    }
}
