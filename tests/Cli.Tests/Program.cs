using Cluster.Cli.Tests.Launch;
using Xunit.Runner.InProc.SystemConsole;

// A test program that supervised processes can be: they are this program again, and say so in the environment.
return LaunchChild.PlayedPart(out var exitCode) ? exitCode : await ConsoleRunner.Run(args);
