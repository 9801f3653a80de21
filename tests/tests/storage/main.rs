//! What every storage provider guarantees, run against each of them, and what only a file has.

mod commits;
mod damage;
mod entities;
mod files;
mod fixture;
mod hubs;
mod inbox;
mod leases;
mod queries;
mod queues;
mod schedules;
mod upgrade;
mod views;
mod watch;

use fixture::Site;

/// Makes one test per provider of every function named, each of which takes a fresh [`Site`].
macro_rules! conformance {
    ($($module:ident { $($test:ident),+ $(,)? })+) => {
        mod memory {
            $(mod $module { $(
                #[test]
                fn $test() {
                    crate::$module::$test(&crate::Site::memory());
                }
            )+ })+
        }
        mod sqlite_file {
            $(mod $module { $(
                #[test]
                fn $test() {
                    crate::$module::$test(&crate::Site::sqlite_file());
                }
            )+ })+
        }
        mod sqlite_memory {
            $(mod $module { $(
                #[test]
                fn $test() {
                    crate::$module::$test(&crate::Site::sqlite_memory());
                }
            )+ })+
        }
    };
}

conformance! {
    hubs {
        opened_again_it_is_the_same_hub,
        names_differ_by_more_than_case,
        the_partition_count_is_fixed_at_creation,
        opened_by_many_at_once_it_is_created_once,
        only_a_hub_that_exists_is_found,
        hubs_are_named_in_order,
        hubs_do_not_see_each_other,
        a_deleted_hub_is_gone,
        a_setting_is_set_once,
        hubs_have_settings_of_their_own,
    }
    leases {
        partitions_are_taken_once,
        no_more_than_asked_for,
        an_expired_lease_can_be_taken,
        a_renewed_lease_is_kept,
        an_expired_lease_that_nobody_took_is_renewed,
        a_released_partition_is_free_and_clean,
        epochs_grow_with_every_owner,
        the_partitions_of_an_owner_that_is_gone_are_taken_at_once,
        one_worker_leaving_does_not_free_the_partitions_of_another,
    }
    commits {
        what_was_committed_is_loaded,
        times_are_kept_to_the_microsecond,
        any_column_can_change,
        history_is_appended_and_reset,
        a_step_that_changes_no_column_is_appended,
        a_step_of_an_instance_that_is_gone_is_dropped,
        rows_of_history_may_have_any_number,
        a_deleted_instance_leaves_nothing,
        merged_deltas_are_as_good_as_single_ones,
        deleted_and_created_again_in_one_delta,
        a_repeated_commit_does_no_harm,
        a_repeated_commit_does_not_send_again_what_was_received,
        a_stale_epoch_refuses_the_whole_commit,
        a_stale_owner_does_not_stop_others,
        rows_are_not_mixed_up_after_a_partition_was_elsewhere,
        many_partitions_in_one_commit,
        due_instances_come_in_order,
        a_partition_sees_only_its_own_due_instances,
        commits_and_queries_at_once,
    }
    inbox {
        clients_messages_come_in_order,
        messages_of_partitions_come_in_order,
        a_message_is_delivered_once,
        numbers_of_clients_are_never_used_twice,
        a_message_sent_and_consumed_in_one_delta_is_never_seen,
        every_command_survives_the_way,
        replies_are_taken_once,
        many_clients_at_once,
    }
    watch {
        a_change_is_seen,
        a_change_between_calls_is_seen,
        without_a_change_time_runs_out,
        a_change_of_another_opening_is_seen_soon,
    }
    queues {
        messages_come_in_order_to_one_worker,
        a_settled_message_is_gone,
        a_message_is_given_again_after_its_delay,
        a_returned_message_has_had_no_attempt,
        a_message_moves_to_another_queue,
        in_order_the_first_holds_up_the_others,
        what_a_lease_ran_out_on_is_given_again,
        what_a_worker_that_is_gone_had_is_given_again_at_once,
        a_renewed_message_is_kept,
        many_workers_take_each_message_once,
        a_watch_tells_of_messages,
        a_deleted_hub_has_no_queues,
    }
    schedules {
        a_schedule_begins_when_it_is_first_seen,
        a_due_time_is_carried_out_once,
        a_claim_that_was_given_back_is_free,
        a_claim_runs_out_unless_it_is_renewed,
        of_many_workers_one_has_each_due_time,
        a_deleted_hub_has_no_schedules,
    }
    entities {
        what_was_committed_is_read_back,
        any_part_of_an_entity_can_change,
        a_deleted_entity_leaves_nothing,
        the_times_of_entities_are_kept_to_the_microsecond,
        a_long_queue_keeps_its_order,
        a_large_state_survives,
        entities_and_instances_are_kept_apart,
        an_entity_is_written_with_the_rest_of_the_commit,
        a_stale_owner_writes_no_entity,
        the_last_change_of_a_delta_is_written,
        due_entities_come_in_order_with_instances,
        pages_of_entities_are_in_order_of_id,
        pages_have_no_gaps_while_entities_come_and_go,
        pages_show_all_of_an_entity_but_its_queue,
        every_filter_of_entities_filters,
        filters_of_entities_are_combined,
        hubs_have_entities_of_their_own,
        a_deleted_hub_takes_its_entities_with_it,
    }
    queries {
        a_summary_is_the_row,
        a_summary_with_input_has_the_first_row,
        pages_are_in_order_of_creation_then_id,
        pages_have_no_gaps_while_instances_come_and_go,
        every_filter_filters,
        filters_are_combined,
        children_are_found,
    }
}
