// Live tensors, thread counts and default generators are the process's: one test at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
