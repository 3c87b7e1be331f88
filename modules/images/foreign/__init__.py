"""What other programs write into their pictures, in A1111's words; a file for each program."""
