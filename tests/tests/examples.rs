//! The examples, as their readers run them: to the end, and killed in the middle and started again.

#[path = "cargo/mod.rs"]
mod cargo;

use std::collections::{BTreeMap, BTreeSet};
use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use cargo::cargo;
use tempfile::TempDir;
use uuid::Uuid;

/// No example takes nearly as long.
const LIMIT: Duration = Duration::from_secs(120);

/// How often each is killed, at most: it may come to its end before.
const KILLS: usize = 8;

/// Where the examples are, once they are built: `cargo test` builds only what it tests.
static BINARIES: LazyLock<PathBuf> = LazyLock::new(|| {
    let test = std::env::current_exe().unwrap();
    let profile = test.ancestors().nth(2).unwrap();
    let name = profile.file_name().unwrap().to_str().unwrap();
    let built = cargo()
        .args(["build", "--quiet", "--package", "examples", "--bins"])
        .args(["--profile", if name == "debug" { "dev" } else { name }])
        .arg("--target-dir")
        .arg(profile.parent().unwrap())
        .status()
        .unwrap();
    assert!(built.success(), "the examples do not build");
    profile.to_owned()
});

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

/// An example, in a working directory of its own.
struct Program {
    name: &'static str,
    arguments: Vec<&'static str>,
    folder: TempDir,
}

impl Program {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            arguments: Vec::new(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn argument(mut self, argument: &'static str) -> Self {
        self.arguments.push(argument);
        self
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs it again and again, killing it at random instants at most `longest` after its start, and
    /// at last to its end. Gives what that last run has printed.
    fn killed_now_and_then(&self, longest: Duration) -> String {
        let mut outputs = self.outputs_until_killed_enough(longest);
        outputs.pop().unwrap_or_default()
    }

    /// The same, and gives what every run has printed.
    fn outputs_until_killed_enough(&self, longest: Duration) -> Vec<String> {
        let mut outputs = Vec::new();
        for _ in 0..KILLS {
            let (status, output) = self.run(random_below(longest));
            assert!(status.is_none_or(|status| status.success()), "{output}");
            outputs.push(output);
            if status.is_some() {
                return outputs;
            }
        }
        let (status, output) = self.run_to_the_end();
        assert!(status.success(), "{output}");
        outputs.push(output);
        outputs
    }

    /// Runs it for as long as `work` takes, and kills it then. It says where it listens.
    fn serving(&self, work: impl FnOnce(&Server)) {
        let program = BINARIES.join(format!("{}{EXE_SUFFIX}", self.name));
        let child = Command::new(program)
            .args(&self.arguments)
            .current_dir(self.folder())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        let mut server = Server {
            child: child.unwrap(),
            address: String::new(),
        };
        let mut said = String::new();
        let output = server.child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut said).unwrap();
        let address = said.trim().rsplit_once("http://").expect(&said).1;
        address.clone_into(&mut server.address);
        work(&server);
    }

    fn run_to_the_end(&self) -> (ExitStatus, String) {
        let (status, output) = self.run(LIMIT);
        let name = self.name;
        let status = status.unwrap_or_else(|| panic!("{name} hangs: {output}"));
        (status, output)
    }

    /// Runs it once, and kills it after `limit` if it has not ended by then: it has no status then.
    fn run(&self, limit: Duration) -> (Option<ExitStatus>, String) {
        self.run_typing("", limit)
    }

    /// The same, with something typed at its beginning.
    fn run_typing(&self, text: &str, limit: Duration) -> (Option<ExitStatus>, String) {
        let program = BINARIES.join(format!("{}{EXE_SUFFIX}", self.name));
        let (mut reader, writer) = io::pipe().unwrap();
        let (keyboard, mut typist) = io::pipe().unwrap();
        typist.write_all(text.as_bytes()).unwrap();
        drop(typist);
        let mut child = Command::new(program)
            .args(&self.arguments)
            .current_dir(self.folder())
            .stdin(keyboard)
            .stdout(writer.try_clone().unwrap())
            .stderr(writer)
            .spawn()
            .unwrap();
        // Its output ends when it does.
        let (sender, ended) = channel();
        thread::spawn(move || {
            let mut output = String::new();
            reader.read_to_string(&mut output).unwrap();
            sender.send(output).unwrap();
        });
        if let Ok(output) = ended.recv_timeout(limit) {
            return (Some(child.wait().unwrap()), output);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        (None, ended.recv_timeout(LIMIT).unwrap())
    }
}

/// A program that answers HTTP. Killed when this is dropped.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Asks again and again, until the answer will do.
    fn until(&self, request: &str, will_do: impl Fn(&str) -> bool) -> String {
        let began = Instant::now();
        loop {
            let answer = self.answer(request);
            if will_do(&answer) {
                return answer;
            }
            assert!(began.elapsed() < LIMIT, "never: {answer}");
        }
    }

    /// What comes back for a request after which the connection is closed.
    fn answer(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn random_below(longest: Duration) -> Duration {
    let nanoseconds = Uuid::new_v4().as_u128() % longest.as_nanos();
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap())
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
