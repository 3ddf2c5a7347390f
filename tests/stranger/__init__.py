"""A stranger's plugin with a fault in any hook, installed for a test without a package manager."""
