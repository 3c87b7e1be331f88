"""The version of the program, as infotext and REST tell it."""

VERSION = "0.1.0"
