"""The process of a study: trials, workers, requests over HTTP or a mailbox."""
