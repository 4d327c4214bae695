//! A head looked at before the HTTP library reads it, beside walking over its octets once and beside
//! reading it as that library does.

use criterion::{Criterion, criterion_group, criterion_main};
use gateway::front::scan::Scanner;
use std::hint::black_box;

/// As a desk's program sends it: 12 fields, 700 octets of body.
fn request() -> Vec<u8> {
    let fields = [
        "host: gateway.example.jp:8443",
        "user-agent: reception/4.2.1 (Windows NT 10.0; Win64; x64)",
        "accept: application/json, application/problem+json",
        "accept-encoding: identity",
        "accept-language: ja,en;q=0.5",
        "content-type: application/json; charset=utf-8",
        "content-length: 700",
        "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "x-terminal: 0123456789abcdef",
        "x-request-id: 018f3f2e-7d3a-7c4b-9a63-0a1b2c3d4e5f",
        "cache-control: no-store",
        "connection: keep-alive",
    ];
    let mut request =
        format!("POST /v1/eligibility/number HTTP/1.1\r\n{}\r\n\r\n", fields.join("\r\n")).into_bytes();
    request.extend([b'x'; 700]);
    request
}

fn scanning(criterion: &mut Criterion) {
    let request = request();
    let mut group = criterion.benchmark_group(format!("receive, {} octets in 12 fields", request.len()));
    group.bench_function("scan", |bencher| {
        let mut scanner = Scanner::new(|_, _| false);
        bencher.iter(|| {
            let scan = scanner.scan(black_box(&request));
            assert!(scan.passed == request.len() && scan.refused.is_none());
        });
    });
    group.bench_function("floor, the line ends found", |bencher| {
        bencher.iter(|| memchr::memchr_iter(b'\n', black_box(&request)).count());
    });
    group.bench_function("beside it, the library's own reading", |bencher| {
        bencher.iter(|| {
            let mut headers = [httparse::EMPTY_HEADER; 100];
            let mut head = httparse::Request::new(&mut headers);
            head.parse(black_box(&request)).map(|status| status.is_complete())
        });
    });
    group.finish();
}

criterion_group!(benches, scanning);
criterion_main!(benches);
