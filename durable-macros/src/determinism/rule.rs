//! The rules that keep the replay of an orchestrator the same as its first run.

/// What a finding is about. Whoever knows better allows it by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Rule {
    Await,
    Clock,
    Random,
    Uuid,
    Environment,
    File,
    Network,
    Database,
    Process,
    Thread,
    Spawn,
    Sleep,
    Block,
    Lock,
    Channel,
    Print,
    Static,
    ThreadLocal,
    Hash,
    Select,
    Combinator,
    Address,
    Client,
    UnboundedLoop,
    Macro,
}

impl Rule {
    /// All rules, in the order in which they are listed to a user.
    pub(crate) const ALL: &'static [Self] = &[
        Self::Await,
        Self::Clock,
        Self::Random,
        Self::Uuid,
        Self::Environment,
        Self::File,
        Self::Network,
        Self::Database,
        Self::Process,
        Self::Thread,
        Self::Spawn,
        Self::Sleep,
        Self::Block,
        Self::Lock,
        Self::Channel,
        Self::Print,
        Self::Static,
        Self::ThreadLocal,
        Self::Hash,
        Self::Select,
        Self::Combinator,
        Self::Address,
        Self::Client,
        Self::UnboundedLoop,
        Self::Macro,
    ];

    /// The name that a user writes.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Await => "await",
            Self::Clock => "clock",
            Self::Random => "random",
            Self::Uuid => "uuid",
            Self::Environment => "environment",
            Self::File => "file",
            Self::Network => "network",
            Self::Database => "database",
            Self::Process => "process",
            Self::Thread => "thread",
            Self::Spawn => "spawn",
            Self::Sleep => "sleep",
            Self::Block => "block",
            Self::Lock => "lock",
            Self::Channel => "channel",
            Self::Print => "print",
            Self::Static => "static",
            Self::ThreadLocal => "thread_local",
            Self::Hash => "hash",
            Self::Select => "select",
            Self::Combinator => "combinator",
            Self::Address => "address",
            Self::Client => "client",
            Self::UnboundedLoop => "unbounded_loop",
            Self::Macro => "macro",
        }
    }

    /// The rule that has this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::Rule;

    #[test]
    fn all_rules_are_listed_once_and_found_by_their_names() {
        assert!(Rule::ALL.is_sorted_by(|before, after| before < after));
        assert_eq!(Rule::ALL.last(), Some(&Rule::Macro));
        assert_eq!(Rule::ALL.len(), Rule::Macro as usize + 1);
        for &rule in Rule::ALL {
            assert_eq!(Rule::named(rule.name()), Some(rule));
        }
    }

    #[test]
    fn a_name_is_in_snake_case() {
        assert_eq!(Rule::named("thread_local"), Some(Rule::ThreadLocal));
        assert_eq!(Rule::named("ThreadLocal"), None);
        assert_eq!(Rule::named("clocks"), None);
    }
}
