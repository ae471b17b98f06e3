/** Settings that always hold for the embedded server, given on its command line: what its postgresql.conf says does not matter. */
export function serverSettings(port: number, fsync: boolean): Record<string, string> {
  return {
    listen_addresses: '127.0.0.1',
    port: String(port),
    // TCP only: a socket's path has a length limit that a deep checkout exceeds.
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: '128MB',
    fsync: fsync ? 'on' : 'off',
    full_page_writes: fsync ? 'on' : 'off',
    synchronous_commit: 'on',
    password_encryption: 'scram-sha-256',
    timezone: 'UTC',
    log_timezone: 'UTC',
    jit: 'off',
    // Short statements on a small machine; and parallel ones need /dev/shm, which containers keep small.
    max_parallel_workers_per_gather: '0',
    log_destination: 'stderr',
    logging_collector: 'off',
    log_line_prefix: '',
    // Statements and rows hold personal data: neither belongs in a log. The caller logs its own errors.
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
  };
}
