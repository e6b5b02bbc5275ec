using Cluster.Cli.Tests.Launch;
using Xunit.Runner.InProc.SystemConsole;

// The processes that these specs start live for seconds. Those that train compile what is hot anew when their start has been
// quiet for 100 ms: one processor second in eight, for nothing. Here they wait for ten quiet seconds (0x2710 ms; the host reads hexadecimal).
Environment.SetEnvironmentVariable("DOTNET_TC_CallCountingDelayMs", "2710");

// A test program that supervised processes can be: they are this program again, and say so in the environment.
return LaunchChild.PlayedPart(out var exitCode) ? exitCode : await ConsoleRunner.Run(args);
