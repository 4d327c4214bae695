//! The HTTPS service and the shikaku program.
