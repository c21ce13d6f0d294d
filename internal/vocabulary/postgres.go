package vocabulary

import (
	"slices"
	"strings"
)

// Two lists of PostgreSQL 15's settings that a file may set (pg_settings): those that only a start reads,
// context "postmaster" in pg_settings, and those that a reload applies.
var (
	atStart = words(`archive_mode autovacuum_freeze_max_age autovacuum_max_workers autovacuum_multixact_freeze_max_age bonjour
		bonjour_name cluster_name data_directory data_sync_retry dynamic_shared_memory_type event_source
		external_pid_file hba_file hot_standby huge_page_size huge_pages ident_file ignore_invalid_pages
		jit_provider listen_addresses logging_collector max_connections max_files_per_process
		max_locks_per_transaction max_logical_replication_workers max_pred_locks_per_transaction
		max_prepared_transactions max_replication_slots max_wal_senders max_worker_processes
		min_dynamic_shared_memory old_snapshot_threshold port recovery_target recovery_target_action
		recovery_target_inclusive recovery_target_lsn recovery_target_name recovery_target_time
		recovery_target_timeline recovery_target_xid shared_buffers shared_memory_type shared_preload_libraries
		superuser_reserved_connections track_activity_query_size track_commit_timestamp unix_socket_directories
		unix_socket_group unix_socket_permissions wal_buffers wal_decode_buffer_size wal_level wal_log_hints`)
	atReload = words(`DateStyle IntervalStyle TimeZone allow_in_place_tablespaces allow_system_table_mods application_name
		archive_cleanup_command archive_command archive_library archive_timeout array_nulls authentication_timeout
		autovacuum autovacuum_analyze_scale_factor autovacuum_analyze_threshold autovacuum_naptime
		autovacuum_vacuum_cost_delay autovacuum_vacuum_cost_limit autovacuum_vacuum_insert_scale_factor
		autovacuum_vacuum_insert_threshold autovacuum_vacuum_scale_factor autovacuum_vacuum_threshold
		autovacuum_work_mem backend_flush_after backslash_quote backtrace_functions bgwriter_delay
		bgwriter_flush_after bgwriter_lru_maxpages bgwriter_lru_multiplier bytea_output check_function_bodies
		checkpoint_completion_target checkpoint_flush_after checkpoint_timeout checkpoint_warning
		client_connection_check_interval client_encoding client_min_messages commit_delay commit_siblings
		compute_query_id constraint_exclusion cpu_index_tuple_cost cpu_operator_cost cpu_tuple_cost
		cursor_tuple_fraction db_user_namespace deadlock_timeout debug_discard_caches debug_pretty_print
		debug_print_parse debug_print_plan debug_print_rewritten default_statistics_target
		default_table_access_method default_tablespace default_text_search_config default_toast_compression
		default_transaction_deferrable default_transaction_isolation default_transaction_read_only
		dynamic_library_path effective_cache_size effective_io_concurrency enable_async_append enable_bitmapscan
		enable_gathermerge enable_hashagg enable_hashjoin enable_incremental_sort enable_indexonlyscan
		enable_indexscan enable_material enable_memoize enable_mergejoin enable_nestloop enable_parallel_append
		enable_parallel_hash enable_partition_pruning enable_partitionwise_aggregate enable_partitionwise_join
		enable_seqscan enable_sort enable_tidscan escape_string_warning exit_on_error extension_destdir
		extra_float_digits from_collapse_limit fsync full_page_writes geqo geqo_effort geqo_generations
		geqo_pool_size geqo_seed geqo_selection_bias geqo_threshold gin_fuzzy_search_limit gin_pending_list_limit
		hash_mem_multiplier hot_standby_feedback idle_in_transaction_session_timeout idle_session_timeout
		ignore_checksum_failure ignore_system_indexes jit jit_above_cost jit_debugging_support jit_dump_bitcode
		jit_expressions jit_inline_above_cost jit_optimize_above_cost jit_profiling_support jit_tuple_deforming
		join_collapse_limit krb_caseins_users krb_server_keyfile lc_messages lc_monetary lc_numeric lc_time
		lo_compat_privileges local_preload_libraries lock_timeout log_autovacuum_min_duration log_checkpoints
		log_connections log_destination log_directory log_disconnections log_duration log_error_verbosity
		log_executor_stats log_file_mode log_filename log_hostname log_line_prefix log_lock_waits
		log_min_duration_sample log_min_duration_statement log_min_error_statement log_min_messages
		log_parameter_max_length log_parameter_max_length_on_error log_parser_stats log_planner_stats
		log_recovery_conflict_waits log_replication_commands log_rotation_age log_rotation_size
		log_startup_progress_interval log_statement log_statement_sample_rate log_statement_stats log_temp_files
		log_timezone log_transaction_sample_rate log_truncate_on_rotation logical_decoding_work_mem
		maintenance_io_concurrency maintenance_work_mem max_parallel_maintenance_workers max_parallel_workers
		max_parallel_workers_per_gather max_pred_locks_per_page max_pred_locks_per_relation max_slot_wal_keep_size
		max_stack_depth max_standby_archive_delay max_standby_streaming_delay max_sync_workers_per_subscription
		max_wal_size min_parallel_index_scan_size min_parallel_table_scan_size min_wal_size
		parallel_leader_participation parallel_setup_cost parallel_tuple_cost password_encryption plan_cache_mode
		post_auth_delay pre_auth_delay primary_conninfo primary_slot_name promote_trigger_file
		quote_all_identifiers random_page_cost recovery_end_command recovery_init_sync_method
		recovery_min_apply_delay recovery_prefetch recursive_worktable_factor remove_temp_files_after_crash
		restart_after_crash restore_command restrict_nonsystem_relation_kind row_security search_path
		seq_page_cost session_preload_libraries session_replication_role ssl ssl_ca_file ssl_cert_file ssl_ciphers
		ssl_crl_dir ssl_crl_file ssl_dh_params_file ssl_ecdh_curve ssl_key_file ssl_max_protocol_version
		ssl_min_protocol_version ssl_passphrase_command ssl_passphrase_command_supports_reload
		ssl_prefer_server_ciphers standard_conforming_strings statement_timeout stats_fetch_consistency
		synchronize_seqscans synchronous_commit synchronous_standby_names syslog_facility syslog_ident
		syslog_sequence_numbers syslog_split_messages tcp_keepalives_count tcp_keepalives_idle
		tcp_keepalives_interval tcp_user_timeout temp_buffers temp_file_limit temp_tablespaces
		timezone_abbreviations trace_notify trace_sort track_activities track_counts track_functions
		track_io_timing track_wal_io_timing transform_null_equals update_process_title vacuum_cost_delay
		vacuum_cost_limit vacuum_cost_page_dirty vacuum_cost_page_hit vacuum_cost_page_miss
		vacuum_defer_cleanup_age vacuum_failsafe_age vacuum_freeze_min_age vacuum_freeze_table_age
		vacuum_multixact_failsafe_age vacuum_multixact_freeze_min_age vacuum_multixact_freeze_table_age
		wal_compression wal_consistency_checking wal_init_zero wal_keep_size wal_receiver_create_temp_slot
		wal_receiver_status_interval wal_receiver_timeout wal_recycle wal_retrieve_retry_interval
		wal_sender_timeout wal_skip_threshold wal_sync_method wal_writer_delay wal_writer_flush_after work_mem
		xmlbinary xmloption zero_damaged_pages`)
)

// since and until are the first and the last version of settings that not all versions have.
var (
	since = map[int][]string{
		14: words(`debug_discard_caches remove_temp_files_after_crash client_connection_check_interval compute_query_id default_toast_compression enable_async_append
			enable_memoize huge_page_size idle_session_timeout log_recovery_conflict_waits min_dynamic_shared_memory
			recovery_init_sync_method ssl_crl_dir track_wal_io_timing vacuum_failsafe_age
			vacuum_multixact_failsafe_age`),
		15: words(`archive_library log_startup_progress_interval recovery_prefetch recursive_worktable_factor
			stats_fetch_consistency wal_decode_buffer_size`),
		16: words(`createrole_self_grant debug_parallel_query enable_presorted_aggregate gss_accept_delegation
			icu_validation_level max_parallel_apply_workers_per_subscription reserved_connections
			scram_iterations vacuum_buffer_usage_limit`),
		17: words(`allow_alter_system commit_timestamp_buffers enable_group_by_reordering event_triggers io_combine_limit
			max_notify_queue_pages multixact_member_buffers multixact_offset_buffers notify_buffers
			serializable_buffers subtransaction_buffers summarize_wal sync_replication_slots
			synchronized_standby_slots transaction_buffers transaction_timeout wal_summary_keep_time`),
		18: words(`autovacuum_vacuum_max_threshold autovacuum_worker_slots enable_distinct_reordering
			enable_self_join_elimination extension_control_path file_copy_method idle_replication_slot_timeout
			io_max_combine_limit io_max_concurrency io_method io_workers log_lock_failures
			max_active_replication_origins md5_password_warnings oauth_validator_libraries ssl_groups
			ssl_tls13_ciphers track_cost_delay_timing vacuum_max_eager_freeze_failure_rate vacuum_truncate`),
	}
	until = map[int][]string{
		13: words(`operator_precedence_warning vacuum_cleanup_index_scale_factor`),
		14: words(`stats_temp_directory`),
		15: words(`force_parallel_mode promote_trigger_file vacuum_defer_cleanup_age`),
		16: words(`old_snapshot_threshold db_user_namespace trace_recovery_messages`),
	}
)

// laterAtStart are those of since that only a start reads.
var laterAtStart = words(`reserved_connections commit_timestamp_buffers multixact_member_buffers multixact_offset_buffers
	notify_buffers serializable_buffers subtransaction_buffers transaction_buffers max_notify_queue_pages
	autovacuum_worker_slots io_max_combine_limit io_max_concurrency io_method max_active_replication_origins`)

// PostgresSettings are the settings that a version knows by itself, sorted. Those of extensions have a dot in their
// names.
func PostgresSettings(version int) []string {
	all := slices.Concat(atStart, atReload)
	for v, names := range since {
		all = append(all, names...)
		if v > version {
			all = without(all, names)
		}
	}
	for v, names := range until {
		all = append(all, names...)
		if v < version {
			all = without(all, names)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func without(all, names []string) []string {
	return slices.DeleteFunc(all, func(n string) bool { return slices.Contains(names, n) })
}

// PostgresWantsRestart tells whether a setting is read at a start alone. Of an extension's nobody knows before the
// extension is loaded: a restart always applies it.
func PostgresWantsRestart(name string) bool {
	return strings.Contains(name, ".") || slices.Contains(atStart, name) || slices.Contains(laterAtStart, name)
}

// PostgresName is a setting's name as PostgreSQL spells it, which reads it in any case.
func PostgresName(name string) string {
	for _, known := range atReload {
		if strings.EqualFold(known, name) {
			return known
		}
	}
	return strings.ToLower(name)
}

// PostgresFractions are the settings that a spec has as numbers with a fraction.
var PostgresFractions = words(`checkpoint_completion_target random_page_cost`)

// PostgresUnits are what PostgreSQL measures a bare number in, of those settings for which a spec wants a unit.
var PostgresUnits = map[string]string{
	"work_mem": "kB", "maintenance_work_mem": "kB", "autovacuum_work_mem": "kB", "max_wal_size": "MB", "min_wal_size": "MB",
	"checkpoint_timeout": "s", "idle_in_transaction_session_timeout": "ms", "log_min_duration_statement": "ms",
}
