"""What a worker process executes, and the Dask queue that hands it out."""
