"""Exports: small samples of what venues return, written anew from their documentation."""
