"""Measurements behind claims of speed and memory; see README.md."""

from kerasseg import machine

machine.use_onednn()  # as the command line does
