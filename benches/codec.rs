//! XML-RPC: decoding a small call, encoding and decoding an answer of a thousand structs.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use supervisor_core::rpc::Value;
use supervisor_rpc::xmlrpc::{decode_call, decode_response, encode_call, encode_response};

fn info(number: i64) -> Value {
    let text = |text: &str| Value::from(text);
    let members = [
        ("name", text("worker")),
        ("group", text("worker")),
        ("pid", Value::Int(number)),
        ("state", Value::Int(20)),
        ("statename", text("RUNNING")),
        ("spawnerr", text("")),
        ("description", text("pid 9055, uptime 0:00:34")),
        ("logfile", text("/var/log/worker-stdout.log")),
    ];
    Value::Struct(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn codec(criterion: &mut Criterion) {
    let call = encode_call("supervisor.startProcess", &[Value::from("web:web_00"), Value::Bool(true)]);
    criterion.bench_function("decode a call", |bencher| bencher.iter(|| decode_call(black_box(&call))));
    let infos = Value::Array((0..1000).map(info).collect());
    criterion.bench_function("encode 1000 structs", |bencher| bencher.iter(|| encode_response(black_box(&infos))));
    let answer = encode_response(&infos);
    criterion.bench_function("decode 1000 structs", |bencher| bencher.iter(|| decode_response(black_box(&answer))));
}

criterion_group!(benches, codec);
criterion_main!(benches);
