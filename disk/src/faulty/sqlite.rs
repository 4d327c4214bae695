//! A file system for SQLite with the faults of the disk on which its files are: the system's own one,
//! of which every operation that changes a file is counted, and may fail.
//!
//! Reading, locks and shared memory are the system's file system's; so everything here but the five
//! operations of `State::count` is handed on as it is.

#![expect(unsafe_code, reason = "SQLite's file systems are tables of C functions; only tests link this file")]

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};

use rusqlite::ffi;

use super::{Asked, Inner, Inode};

const NAME: &CStr = c"faulty";

/// Lets SQLite's files on faulty disks have their faults.
pub(super) fn begin() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(register);
}

fn disk_of(path: &Path) -> Option<Arc<Inner>> {
    super::disk_of(path).map(|disk| disk.0)
}

/// The system's own file system.
fn system() -> *mut ffi::sqlite3_vfs {
    // SAFETY: SQLite has this file system on every Unix, for as long as the process lives.
    unsafe { ffi::sqlite3_vfs_find(c"unix".as_ptr()) }
}

fn register() {
    // SAFETY: the system's table is valid and never changes; a copy of it with our own name, size and
    // two functions is one as well, and is leaked, so it stays valid. It becomes the default, so that
    // what opens a file need not know of it.
    unsafe {
        let mut vfs = *system();
        vfs.szOsFile += size_of::<Wrapped>() as c_int;
        vfs.pNext = std::ptr::null_mut();
        vfs.zName = NAME.as_ptr();
        vfs.xOpen = Some(open);
        vfs.xDelete = Some(delete);
        ffi::sqlite3_vfs_register(Box::into_raw(Box::new(vfs)), 1);
    }
}

/// What stands before the system's own file in the memory that SQLite gives to a file.
#[repr(C)]
struct Wrapped {
    base: ffi::sqlite3_file,
    /// `None` of files on no faulty disk.
    on: *mut On,
}

struct On {
    disk: Arc<Inner>,
    path: PathBuf,
    inode: Inode,
    /// A journal: SQLite makes its name durable with its content.
    journal: bool,
}

/// The system's file behind ours.
///
/// # Safety
/// `file` is one that `open` was given.
unsafe fn real(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: SQLite gave room for ours and, behind it, for the system's.
    unsafe { file.cast::<Wrapped>().add(1).cast() }
}

/// What is known of a file.
///
/// # Safety
/// As [`real`].
unsafe fn on<'f>(file: *mut ffi::sqlite3_file) -> Option<&'f On> {
    // SAFETY: `open` put a leaked box or null there, and `close` takes it away last.
    unsafe { (*file.cast::<Wrapped>()).on.as_ref() }
}

fn path_of(name: *const c_char) -> Option<PathBuf> {
    // SAFETY: SQLite's names end with a NUL.
    let name = (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) })?;
    Some(PathBuf::from(OsStr::from_bytes(name.to_bytes())))
}

fn code(error: &std::io::Error, otherwise: c_int) -> c_int {
    if error.kind() == std::io::ErrorKind::StorageFull { ffi::SQLITE_FULL } else { otherwise }
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let path = path_of(name);
    let disk = path.as_deref().and_then(disk_of).zip(path);
    let wrapped = file.cast::<Wrapped>();
    // SAFETY: SQLite gave this memory; no methods means that it need not be closed.
    unsafe {
        (*wrapped).base.pMethods = std::ptr::null();
        (*wrapped).on = std::ptr::null_mut();
    }
    let mut known = None;
    if let Some((disk, path)) = disk {
        let mut state = disk.state();
        let exists = path.exists();
        let makes = flags & ffi::SQLITE_OPEN_CREATE != 0 && !exists;
        if state.dead || makes && state.whole(Asked::Create, &path).is_err() {
            return ffi::SQLITE_CANTOPEN;
        }
        let inode = if makes { state.model.create(&path, false) } else { state.model.inode(&path) };
        let journal = flags & (ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL) != 0;
        drop(state);
        known = Some(Box::new(On { disk, path, inode, journal }));
    }
    // SAFETY: the system's file system is asked with the arguments it would have got, and room of the
    // size it asked for. Only where it has opened the file ours has methods.
    unsafe {
        let opened = (*system())
            .xOpen
            .map_or(ffi::SQLITE_CANTOPEN, |open| open(system(), name, real(file), flags, out));
        if opened == ffi::SQLITE_OK {
            (*wrapped).on = known.map_or(std::ptr::null_mut(), Box::into_raw);
            (*wrapped).base.pMethods = &METHODS;
        }
        opened
    }
}

unsafe extern "C" fn delete(_: *mut ffi::sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    let path = path_of(name);
    let disk = path.as_deref().and_then(disk_of).zip(path);
    if let Some((disk, path)) = &disk {
        if disk.state().whole(Asked::Remove, path).is_err() {
            return ffi::SQLITE_IOERR_DELETE;
        }
        disk.state().model.inode(path);
    }
    // SAFETY: handed on as it came.
    let deleted =
        unsafe { (*system()).xDelete.map_or(ffi::SQLITE_IOERR_DELETE, |delete| delete(system(), name, 0)) };
    if let (Some((disk, path)), ffi::SQLITE_OK) = (disk, deleted) {
        let mut state = disk.state();
        state.model.remove(&path);
        if let Some(folder) = path.parent().filter(|_| sync != 0) {
            state.model.sync_folder(folder);
        }
    }
    deleted
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite closes a file once; nothing uses it afterwards.
    unsafe {
        let known = std::mem::replace(&mut (*file.cast::<Wrapped>()).on, std::ptr::null_mut());
        if !known.is_null() {
            drop(Box::from_raw(known));
        }
        (*(*real(file)).pMethods).xClose.map_or(ffi::SQLITE_OK, |close| close(real(file)))
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    octets: *const c_void,
    length: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite gives so many octets.
    let all = unsafe { std::slice::from_raw_parts(octets.cast::<u8>(), length as usize) };
    // SAFETY: an open file's methods are the system's, and are given what they would have got, or less.
    let put = |some: &[u8]| unsafe {
        let write = (*(*real(file)).pMethods).xWrite;
        write.map_or(ffi::SQLITE_IOERR_WRITE, |write| {
            write(real(file), some.as_ptr().cast(), some.len() as c_int, at)
        })
    };
    // SAFETY: an open file.
    let Some(on) = (unsafe { on(file) }) else { return put(all) };
    let mut state = on.disk.state();
    let (some, counted) = state.write((on.inode, &on.path), at as usize, all);
    let written = if some.is_empty() { ffi::SQLITE_OK } else { put(some) };
    match counted {
        Ok(()) => written,
        Err(error) => code(&error, ffi::SQLITE_IOERR_WRITE),
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, length: ffi::sqlite3_int64) -> c_int {
    // SAFETY: an open file.
    if let Some(on) = unsafe { on(file) } {
        let mut state = on.disk.state();
        if state.whole(Asked::Truncate, &on.path).is_err() {
            return ffi::SQLITE_IOERR_TRUNCATE;
        }
        state.model.truncate(on.inode, length as usize);
    }
    // SAFETY: handed on as it came.
    unsafe {
        let truncate = (*(*real(file)).pMethods).xTruncate;
        truncate.map_or(ffi::SQLITE_IOERR_TRUNCATE, |truncate| truncate(real(file), length))
    }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: an open file. The model is what makes it durable: tests need no real disk.
    let Some(on) = (unsafe { on(file) }) else { return ffi::SQLITE_OK };
    let mut state = on.disk.state();
    match state.sync(on.inode, &on.path) {
        Ok(()) => {
            if let Some(folder) = on.path.parent().filter(|_| on.journal) {
                state.model.sync_folder(folder);
            }
            ffi::SQLITE_OK
        }
        Err(_) => ffi::SQLITE_IOERR_FSYNC,
    }
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    octets: *mut c_void,
    length: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: an open file; handed on as it came.
    unsafe {
        if on(file).is_some_and(|on| on.disk.alive().is_err()) {
            return ffi::SQLITE_IOERR_READ;
        }
        let read = (*(*real(file)).pMethods).xRead;
        read.map_or(ffi::SQLITE_IOERR_READ, |read| read(real(file), octets, length, at))
    }
}

/// A function that hands on to the system's file.
macro_rules! handed_on {
    ($name:ident, $method:ident ($($argument:ident : $type:ty),*) -> $result:ty, else $otherwise:expr) => {
        unsafe extern "C" fn $name(file: *mut ffi::sqlite3_file, $($argument: $type),*) -> $result {
            // SAFETY: an open file's methods are the system's; handed on as it came.
            unsafe {
                let method = (*(*real(file)).pMethods).$method;
                method.map_or($otherwise, |method| method(real(file), $($argument),*))
            }
        }
    };
}

handed_on!(file_size, xFileSize(size: *mut ffi::sqlite3_int64) -> c_int, else ffi::SQLITE_IOERR);
handed_on!(lock, xLock(level: c_int) -> c_int, else ffi::SQLITE_IOERR);
handed_on!(unlock, xUnlock(level: c_int) -> c_int, else ffi::SQLITE_IOERR);
handed_on!(is_reserved, xCheckReservedLock(is: *mut c_int) -> c_int, else ffi::SQLITE_IOERR);
handed_on!(control, xFileControl(what: c_int, with: *mut c_void) -> c_int, else ffi::SQLITE_NOTFOUND);
handed_on!(sector_size, xSectorSize() -> c_int, else 0);
// Among them that a torn write harms nothing beside it, which the model holds to.
handed_on!(characteristics, xDeviceCharacteristics() -> c_int, else 0);
handed_on!(
    shm_map,
    xShmMap(page: c_int, size: c_int, extend: c_int, at: *mut *mut c_void) -> c_int,
    else ffi::SQLITE_IOERR
);
handed_on!(shm_lock, xShmLock(from: c_int, count: c_int, flags: c_int) -> c_int, else ffi::SQLITE_IOERR);
handed_on!(shm_barrier, xShmBarrier() -> (), else ());
handed_on!(shm_unmap, xShmUnmap(delete: c_int) -> c_int, else ffi::SQLITE_OK);

/// Version 2: with shared memory, without mapped files, whose changes nobody would see.
static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(is_reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};
