"""The rows of a drawing tab's fields: one family a file, with the small helpers beside them.

Most helpers need no server: the browser runs a script of the page, and puts what that returns into the fields.
"""
