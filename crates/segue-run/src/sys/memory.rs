//! A program's memory, read and written for it while it waits in a call.

use std::io;

use super::check_size;

fn one(address: u64, len: usize) -> libc::iovec {
    libc::iovec { iov_base: address as usize as *mut libc::c_void, iov_len: len }
}

/// Fills `buffer` from the task's memory.
///
/// # Errors
/// EFAULT: not all of it is readable; EPERM: the program may not be inspected.
pub(crate) fn read(tid: u32, address: u64, buffer: &mut [u8]) -> io::Result<()> {
    if buffer.is_empty() {
        return Ok(());
    }
    let local = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let remote = one(address, buffer.len());
    // SAFETY: the local vector is `buffer`; the remote one is checked by the kernel.
    let copied = check_size(unsafe { libc::process_vm_readv(tid as libc::pid_t, &local, 1, &remote, 1, 0) })?;
    whole(copied, buffer.len())
}

/// Copies `data` into the task's memory.
///
/// # Errors
/// As [`read`].
pub(crate) fn write(tid: u32, address: u64, data: &[u8]) -> io::Result<()> {
    if data.is_empty() {
        return Ok(());
    }
    let local = libc::iovec { iov_base: data.as_ptr().cast_mut().cast(), iov_len: data.len() };
    let remote = one(address, data.len());
    // SAFETY: the local vector is `data`, which is only read; the remote one is
    // checked by the kernel.
    let copied = check_size(unsafe { libc::process_vm_writev(tid as libc::pid_t, &local, 1, &remote, 1, 0) })?;
    whole(copied, data.len())
}

fn whole(copied: usize, wanted: usize) -> io::Result<()> {
    if copied == wanted { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::EFAULT)) }
}

/// Reads an `int` of the task.
pub(crate) fn read_int(tid: u32, address: u64) -> io::Result<i32> {
    let mut bytes = [0; 4];
    read(tid, address, &mut bytes)?;
    Ok(i32::from_ne_bytes(bytes))
}
