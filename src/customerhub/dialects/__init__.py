"""One folder per dialect; deleting a folder deletes the dialect."""
