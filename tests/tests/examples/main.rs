//! The examples, as their readers run them: to the end, and killed in the middle and started again.

#[path = "../cargo/mod.rs"]
mod cargo;
mod program;
mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use program::{KILLS, LIMIT, Program, random_below};

#[test]
fn hello_cities() {
    let program = Program::new("hello_cities");
    for _ in 0..4 {
        let output = program.killed_now_and_then(Duration::from_millis(120));
        let hello = ["Hello Tokyo!", "Hello Seattle!", "Hello London!"];
        assert_eq!(last(&output, 3), hello, "{output}");
    }
}

// Rule 44: a job is begun once, and polled until it is done.
#[test]
fn http_poll() {
    let program = Program::new("http_poll");
    let output = program.killed_now_and_then(Duration::from_millis(300));
    assert_eq!(last(&output, 1), ["200: the report is ready"], "{output}");
}

#[test]
fn embed_in_axum() {
    let program = Program::new("embed_in_axum").argument("127.0.0.1:0");
    let order = "POST /orders/42 HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n";
    let status = "GET /runtime/webhooks/durabletask/instances/order-42 HTTP/1.1\r\nhost: shop\r\n\
                  connection: close\r\n";
    let token = "authorization: Bearer letmein\r\n";
    program.serving(|server| {
        let answer = server.answer(&format!("{order}content-length: 9\r\n\r\ntwo books"));
        assert!(answer.starts_with("HTTP/1.1 202 Accepted"), "{answer}");
        assert!(answer.contains("\"http://shop/runtime/webhooks/durabletask/instances/order-42?"));
        let refused = server.answer(&format!("{status}\r\n"));
        assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    });
    // It was killed, and goes on.
    program.serving(|server| {
        let waits = server.answer(&format!("{status}{token}\r\n"));
        assert!(waits.starts_with("HTTP/1.1 202"), "{waits}");
        let event = "POST /runtime/webhooks/durabletask/instances/order-42/raiseEvent/paid HTTP/1.1\r\n\
                     host: shop\r\nconnection: close\r\ncontent-length: 0\r\n";
        let raised = server.answer(&format!("{event}{token}\r\n"));
        assert!(raised.starts_with("HTTP/1.1 202"), "{raised}");
        let restart = "POST /runtime/webhooks/durabletask/orchestrators/fulfil/none HTTP/1.1\r\n";
        assert!(server.answer(&format!("{restart}connection: close\r\n\r\n")).contains(" 401 "));
        let shipped = std::iter::repeat_with(|| server.answer(&format!("{status}{token}\r\n")));
        let shipped = shipped.take(10_000).find(|answer| answer.starts_with("HTTP/1.1 200"));
        assert!(shipped.unwrap().contains("\"two books has been shipped\""));
    });
}

#[test]
fn site_backup() {
    let program = Program::new("site_backup").argument("site");
    let site = program.folder().join("site");
    let mut bytes = 0;
    for number in 0..2_000 {
        let folder = site.join(format!("{}/{}", number % 10, number % 7));
        let text = "x".repeat(number % 50);
        bytes += text.len();
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(number.to_string()), text).unwrap();
    }
    let output = program.killed_now_and_then(Duration::from_millis(400));
    let backed_up = format!("backed up {bytes} bytes to ./site_backup");
    assert_eq!(last(&output, 1), [backed_up], "{output}");
    let backup = program.folder().join("site_backup");
    assert_eq!(contents(&backup), contents(&site));
}

#[test]
fn site_backup_wants_a_directory() {
    let program = Program::new("site_backup");
    let (status, output) = program.run_to_the_end();
    assert!(!status.success());
    assert_eq!(output, "Error: usage: site_backup DIRECTORY\n");
    let (status, output) = program.argument("nowhere").run_to_the_end();
    assert!(!status.success());
    assert_eq!(output, "Error: nowhere is no directory\n");
}

#[test]
fn transfer_funds() {
    let program = Program::new("transfer_funds");
    let output = program.killed_now_and_then(Duration::from_millis(500));
    let reports = [
        "alice -> bob, 30: done",
        "bob -> carol, 20: done",
        "carol -> nobody, 50: `credit` failed: there is no account of nobody; refunded",
        "dave -> alice, 1000: `debit` failed: dave has only 100, not 1000",
        "carol -> alice, 10: done",
    ];
    let end = last(&output, 11);
    assert_eq!(end[..5], reports, "{output}");
    assert_eq!(
        end[9..],
        ["in transit:    0", "     total:  400"],
        "{output}"
    );
    // One that was killed after all was done is followed by one that does all of it again.
    let balances = balances(&program).unwrap();
    let runs = (balances["bob"] - 100) / 10;
    assert!(runs >= 1, "{output}");
    let expected = [
        ("alice", 100 - 20 * runs),
        ("bob", 100 + 10 * runs),
        ("carol", 100 + 10 * runs),
        ("dave", 100),
        ("in transit", 0),
    ];
    let expected = expected.map(|(account, balance)| (account.to_owned(), balance));
    assert_eq!(balances, BTreeMap::from(expected), "{output}");
}

#[test]
fn transfer_funds_never_changes_the_total() {
    let program = Program::new("transfer_funds");
    for _ in 0..KILLS {
        program.run(random_below(Duration::from_millis(500)));
        // There are none if it was killed before it began.
        if let Some(balances) = balances(&program) {
            assert_eq!(balances.values().sum::<i64>(), 400, "{balances:?}");
        }
    }
}

fn balances(program: &Program) -> Option<BTreeMap<String, i64>> {
    let file = fs::read(program.folder().join("transfer_funds.json")).ok()?;
    let mut book: serde_json::Value = serde_json::from_slice(&file).unwrap();
    Some(serde_json::from_value(book["balances"].take()).unwrap())
}

#[test]
fn retry() {
    let program = Program::new("retry");
    let (status, output) = program.run_to_the_end();
    assert!(status.success(), "{output}");
    let expected = [
        "download: call 1",
        "download: call 2",
        "download: call 3",
        "borrow_book: call 1",
        "borrow_book: call 2",
        "borrow_book: call 3",
        "borrow_book: call 4",
        "pay: call 1",
        "downloaded with call 3",
        "borrowed with call 4",
        "`pay` failed: card expired (1)",
    ];
    assert_eq!(last(&output, usize::MAX), expected);
    // Killed, it may have made a call that it could not record, and have made it again.
    let output = program.killed_now_and_then(Duration::from_millis(1_500));
    let [.., downloaded, borrowed, paid] = last(&output, 3)[..] else {
        panic!("too little output: {output}");
    };
    assert!(downloaded.starts_with("downloaded with call"), "{output}");
    assert!(borrowed.starts_with("borrowed with call"), "{output}");
    assert!(paid.starts_with("`pay` failed: card expired"), "{output}");
}

#[test]
fn counter() {
    let program = Program::new("counter");
    let output = program.killed_now_and_then(Duration::from_millis(600));
    // None is missing, and none was celebrated twice.
    let celebrated = "celebrated: [10, 20, 30, 40]";
    assert_eq!(last(&output, 1), [celebrated], "{output}");
}

#[test]
fn bank_transfer() {
    let program = Program::new("bank_transfer");
    let output = program.killed_now_and_then(Duration::from_millis(800));
    assert_eq!(last(&output, 1), ["the sum is 1000"], "{output}");
}

#[test]
fn device_metrics() {
    let program = Program::new("device_metrics");
    let output = program.killed_now_and_then(Duration::from_millis(1_500));
    let end = [
        "40000 readings of 2000 devices",
        "the hottest is device-0003 with 23.5 degrees",
    ];
    assert_eq!(last(&output, 2), end, "{output}");
}

#[test]
fn http_start() {
    let program = Program::new("http_start").argument("127.0.0.1:0");
    let mut status = String::new();
    program.serving(|server| {
        let post = |path: &str, body: &str| {
            let length = body.len();
            server.answer(&format!(
                "POST /orchestrators/{path} HTTP/1.1\r\nhost: photos\r\nconnection: close\r\n\
                 content-length: {length}\r\n\r\n{body}"
            ))
        };
        let answer = post("resize_photos", "[\"sea\", \"dunes\"]");
        assert!(answer.starts_with("HTTP/1.1 202 Accepted"), "{answer}");
        let location = answer
            .lines()
            .find_map(|line| line.strip_prefix("location: "));
        let path = location.and_then(|url| url.strip_prefix("http://photos"));
        path.expect(&answer).clone_into(&mut status);
        assert!(post("resize_photo", "[]").starts_with("HTTP/1.1 404"));
        assert!(post("resize_photos", "[").starts_with("HTTP/1.1 400"));
        let waited = post("resize_photos?wait=60", "[\"sea\"]");
        assert!(waited.starts_with("HTTP/1.1 200"), "{waited}");
        assert!(waited.ends_with("[\"small-sea\"]"), "{waited}");
    });
    // It was killed, and goes on.
    program.serving(|server| {
        let request = format!("GET {status} HTTP/1.1\r\nhost: photos\r\nconnection: close\r\n\r\n");
        let done = server.until(&request, |answer| answer.starts_with("HTTP/1.1 200"));
        assert!(done.contains("[\"small-sea\",\"small-dunes\"]"), "{done}");
    });
}

#[test]
fn http_approval() {
    let program = Program::new("http_approval").argument("127.0.0.1:0");
    let head = "HTTP/1.1\r\nhost: holidays\r\nconnection: close\r\n";
    let look = format!("GET /holidays/ann {head}\r\n");
    program.serving(|server| {
        let ask = format!(
            "POST /holidays/ann {head}content-type: application/json\r\ncontent-length: 2\r\n\r\n10"
        );
        let answer = server.answer(&ask);
        assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
        server.until(&look, |answer| answer.ends_with("waiting for approval"));
        let again = server.answer(&ask);
        assert!(again.starts_with("HTTP/1.1 409"), "{again}");
    });
    // It was killed, and goes on to wait.
    program.serving(|server| {
        let approve = |name: &str| {
            let length = "content-length: 0\r\n";
            server.answer(&format!("POST /holidays/{name}/approve {head}{length}\r\n"))
        };
        assert!(server.answer(&look).ends_with("waiting for approval"));
        assert!(approve("bob").starts_with("HTTP/1.1 404"));
        let answer = approve("ann");
        assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
        server.until(&look, |answer| {
            answer.ends_with("10 days for ann: approved")
        });
        assert!(approve("ann").starts_with("HTTP/1.1 410"));
    });
    let mails = fs::read_to_string(program.folder().join("http_approval.txt")).unwrap();
    assert!(mails.starts_with("ann asks for 10 days\n"), "{mails}");
}

#[test]
fn scheduled_batch() {
    let program = Program::new("scheduled_batch");
    let output = program.killed_now_and_then(Duration::from_millis(1_500));
    let end = last(&output, 1)[0];
    assert!(end.ends_with(" bills, 0 twice"), "{output}");
    let bills = fs::read_to_string(program.folder().join("scheduled_batch.txt")).unwrap();
    // Whole batches, and perhaps the beginning of another one.
    let mut of_batch: BTreeMap<&str, usize> = BTreeMap::new();
    for bill in bills.lines() {
        *of_batch.entry(bill.split(' ').next().unwrap()).or_default() += 1;
    }
    assert!(
        of_batch.values().filter(|bills| **bills == 3).count() >= 3,
        "{bills}"
    );
}

#[test]
fn order_queue() {
    let program = Program::new("order_queue");
    let output = program.killed_now_and_then(Duration::from_millis(500));
    let end = [
        "shipped 19 orders",
        "not taken: {\"order 13 is for nothing\"}",
    ];
    assert_eq!(last(&output, 2), end, "{output}");
}

/// Every device keeps the serial number that it was given, and is in the table with it.
#[test]
fn device_provisioning() {
    let program = Program::new("device_provisioning");
    let outputs = program.outputs_until_killed_enough(Duration::from_millis(1_500));
    let mut serials: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in outputs.iter().flat_map(|output| output.lines()) {
        if let Some((device, serial)) = line.split_once(": registering ") {
            serials.entry(device).or_default().insert(serial);
        }
    }
    // One that was killed after all was done is followed by one that does all of it again.
    let runs = serials["camera"].len();
    assert!(
        serials.values().all(|serials| serials.len() == runs),
        "{serials:?}"
    );
    let output = outputs.last().unwrap();
    for (line, device) in last(output, 4)
        .iter()
        .zip(["camera", "thermostat", "door", "lamp"])
    {
        let columns: Vec<_> = line.split_whitespace().collect();
        let address = format!("{device}.devices.example");
        assert_eq!(
            (columns[0], columns[2], columns[3]),
            (device, address.as_str(), "2.1.0"),
            "{output}"
        );
        assert!(serials[device].contains(columns[1]), "{serials:?} {output}");
    }
}

/// It goes on to look, at the intervals at which it was, until there is something to find.
#[test]
fn monitor() {
    const KILLS: usize = 4;
    let program = Program::new("monitor");
    let mut outputs = String::new();
    for _ in 0..KILLS {
        let (status, output) = program.run(random_below(Duration::from_millis(700)));
        assert_eq!(status, None, "{output}");
        outputs += &output;
    }
    assert!(!outputs.contains("is there"), "{outputs}");
    fs::write(program.folder().join("monitor.ready"), "").unwrap();
    let (status, output) = program.run_to_the_end();
    assert!(status.success(), "{output}");
    assert_eq!(last(&output, 1), ["found it"], "{output}");
    outputs += &output;
    // After 0, 1, 3 and 7 seconds; one that was not recorded is made again.
    let checks = outputs.lines().filter(|line| line.starts_with("checked: "));
    assert!(checks.count() <= 4 + KILLS, "{outputs}");
}

/// The rounds are counted on, whenever it is killed.
#[test]
fn periodic_cleanup() {
    let program = Program::new("periodic_cleanup");
    let mut rounds: Vec<u64> = Vec::new();
    let began = Instant::now();
    while !rounds.contains(&3) {
        assert!(began.elapsed() < LIMIT, "{rounds:?}");
        let (status, output) = program.run(random_below(Duration::from_secs(2)));
        assert_eq!(status, None, "{output}");
        let numbers = output.lines().filter_map(|line| {
            let number = line.strip_prefix("round ")?.split(':').next()?;
            number.parse::<u64>().ok()
        });
        rounds.extend(numbers);
    }
    // One that was not recorded is made again.
    let expected = rounds.iter().all(|round| (1..=3).contains(round));
    assert!(
        rounds.is_sorted() && rounds[0] == 1 && expected,
        "{rounds:?}"
    );
    assert!(program.folder().join("periodic_cleanup/round-3").exists());
}

/// The code that was sent before it was killed still counts.
#[test]
fn phone_verification() {
    let program = Program::new("phone_verification");
    let began = Instant::now();
    let mut code = String::new();
    let mut limit = Duration::from_millis(500);
    loop {
        let (status, output) = program.run_typing(&code, limit);
        if let Some(status) = status {
            assert!(status.success(), "{output}");
            assert_eq!(last(&output, 1), ["verified"], "{output}");
            return;
        }
        assert!(began.elapsed() < LIMIT, "{output}");
        let sent = output.lines().rfind(|line| line.contains("your code is "));
        if let Some((_, sent)) = sent.and_then(|line| line.rsplit_once(' ')) {
            code = format!("{sent}\n");
        } else {
            // It was killed too soon.
            limit *= 2;
        }
    }
}

/// The last `count` lines, or all if there are fewer.
fn last(output: &str, count: usize) -> Vec<&str> {
    let lines: Vec<_> = output.lines().collect();
    lines[lines.len().saturating_sub(count)..].to_vec()
}

/// What the files below `folder` hold, by their paths within it.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut contents = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_owned();
                contents.insert(name, fs::read(path).unwrap());
            }
        }
    }
    contents
}
