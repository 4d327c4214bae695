//! Asking a responder: a real one (`openssl ocsp`, as a process over loopback), and every fault it
//! may have.

mod judging;
mod loopback;
mod responder;
mod table;
