//! A method of the user's own with the name `elapsed`, of traits, references and elements.
use durable_runtime::prelude::*;

#[derive(Clone, Copy)]
enum Event {
    Started,
    Waited(u64),
}

trait Lasts {
    fn elapsed(&self) -> u64;
}

impl Lasts for Event {
    fn elapsed(&self) -> u64 {
        match self {
            Self::Started => 0,
            Self::Waited(seconds) => *seconds,
        }
    }
}

#[orchestrator]
async fn total(_ctx: OrchestrationContext, seconds: u64) -> Result<u64> {
    let event = Event::Waited(seconds);
    let boxed: Box<dyn Lasts> = Box::new(event);
    let events = [event, Event::Started];
    let sum: u64 = events.iter().map(|event| event.elapsed()).sum();
    let all: u64 = events.iter().map(Lasts::elapsed).sum();
    Ok(sum + all + event.elapsed() + boxed.elapsed() + (&event).elapsed() + events[0].elapsed())
}

fn main() {}
