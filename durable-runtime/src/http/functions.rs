//! The routes of client functions with an HTTP trigger.
