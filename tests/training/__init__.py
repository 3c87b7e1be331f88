"""Tests of the scripts that make the embedded model."""
