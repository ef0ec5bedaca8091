//! Tests of sign-in.
