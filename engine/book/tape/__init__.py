"""A lender's spreadsheet of loans, read as it comes and laid over a shipped book.

    grid.py       the cells of a sheet, from CSV or .xlsx
    fields.py     what a column may hold, and by which headers it is known
    layout.py     which sheet, which header row, which column is which field, in which unit
    values.py, dates.py     one cell to a value, or a sentence saying why not
    questions.py  what only the lender can say: a small CSV file to fill in
    readers.py    how the cells of a column are read, settled by all of them together
    rows.py       which rows are loans, and their cells
    names.py      borrowers and off-takers to firms of the book below
    defaults.py   what a tape does not have, each with a reason
    positions.py  loans in the units of the book
    borrower.py, part.py, book.py, entries.py     loans to the rows of a book
    folder.py     the book and its papers, written whole and loaded again

Nothing is guessed in silence: a cell is read in one way, or asked for.
"""
