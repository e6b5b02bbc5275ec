using System.Net;
using System.Diagnostics;

namespace Cluster.Browser.Tests;

/// <summary>The live page in a real browser, over a run that the spec plays.</summary>
[Trait("Clock", "wall")]
public sealed class PageSpecs(Browser browser, ITestOutputHelper output) : IClassFixture<Browser>
{
    private const string Hash = "3f0c9d6c7c1b8a4e5d2f6a7b8c9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f70819";

    [Fact]
    public async Task Curves_grow_from_the_start_of_a_run_to_its_end_without_a_reload()
    {
        await using var run = await SimulatedRun.StartAsync(totalSteps: 400);
        await using var page = await browser.OpenAsync(run.Address);
        await page.UntilAsync("document.body.dataset.state === 'starting'");
        await page.GetAsync("window.sameDocument = true");
        foreach (var steps in (int[])[10, 90, 300])
        {
            run.Advance(steps);
            await page.UntilAsync($"['loss', 'accuracy', 'learningRate', 'gradNorm'].every(c => document.querySelector('#chart-' + c).dataset.points === '{run.Step}')");
            Assert.Contains($"step {run.Step:N0} of 400", await page.TextAsync("#where"));
        }
        run.End(isFinished: true, "all steps are done", Hash);
        await page.UntilAsync("document.body.dataset.state === 'finished'");
        Assert.Equal(Hash, await page.TextAsync("#sha256"));
        Assert.Contains("Finished after 400 steps", await page.TextAsync("#ending"));
        Assert.Equal("the run is over", await page.TextAsync("#link"));
        Assert.True((await page.GetAsync("window.sameDocument")).GetBoolean());
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task A_worker_that_is_killed_shows_and_so_does_its_return()
    {
        await using var run = await SimulatedRun.StartAsync(totalSteps: 10_000);
        await using var page = await browser.OpenAsync(run.Address);
        run.Advance(30);
        await page.UntilAsync("document.querySelector('[data-node=worker-1]')?.dataset.state === 'working'");
        run.Happen("worker-lost", "worker-1", "worker-1 is lost in step 30: its link ended.");
        var took = await page.UntilAsync("document.querySelector('[data-node=worker-1]').dataset.state === 'lost'");
        output.WriteLine($"killed worker shown after {took.TotalSeconds:0.00} s");
        Assert.True(took < TimeSpan.FromSeconds(10), $"{took}");
        Assert.Contains("worker-1 is lost in step 30", await page.TextAsync("#feed li"));
        run.Advance(5);
        await page.UntilAsync($"document.body.dataset.step === '{run.Step}'");
        Assert.Equal("lost", (await page.GetAsync("document.querySelector('[data-node=worker-1]').dataset.state")).GetString());
        run.Happen("worker-joined", "worker-1", "worker-1 joined; 3 workers share the leaves.");
        run.Advance(5);
        await page.UntilAsync("document.querySelector('[data-node=worker-1]').dataset.state === 'working'");
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task A_page_with_a_hundred_thousand_steps_behind_it_loads_quickly()
    {
        await using var run = await SimulatedRun.StartAsync(totalSteps: 200_000, logged: 100_000);
        run.Advance(1);
        await using var page = await browser.OpenAsync("about:blank");
        var started = Stopwatch.GetTimestamp();
        await page.GoAsync(run.Address);
        await page.UntilAsync("document.querySelector('#chart-loss')?.dataset.last === '100001'");
        var took = Stopwatch.GetElapsedTime(started);
        output.WriteLine($"100,000 steps on the page after {took.TotalSeconds:0.00} s");
        Assert.True(took < TimeSpan.FromSeconds(10), $"{took}");
        Assert.InRange(int.Parse((await page.GetAsync("document.querySelector('#chart-loss').dataset.points")).GetString()!), 500, 1000);
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task Ten_thousand_steps_leave_the_page_as_small_as_it_was()
    {
        await using var run = await SimulatedRun.StartAsync(totalSteps: 10_000);
        await using var page = await browser.OpenAsync(run.Address);
        run.Advance(10, isTraced: true);
        await page.UntilAsync("document.body.dataset.step === '10' && document.querySelectorAll('.step').length > 0");
        for (var i = 0; i < 10; i++)
        {
            run.Advance(999);
            for (var j = 0; j < 50; j++) run.Happen("worker-late", "worker-2", $"worker-2 is late in step {run.Step}.");
            await page.UntilAsync($"document.body.dataset.step === '{run.Step}'");
        }
        Assert.InRange((await page.GetAsync("document.querySelectorAll('*').length")).GetInt32(), 100, 1500);
        Assert.Equal(200, (await page.GetAsync("document.querySelectorAll('#feed li').length")).GetInt32());
        Assert.InRange(int.Parse((await page.GetAsync("document.querySelector('#chart-loss').dataset.points")).GetString()!), 500, 1000);
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task Elsewhere_than_on_loopback_the_token_of_the_address_is_needed_once()
    {
        await using var run = await SimulatedRun.StartAsync(totalSteps: 100, at: new IPEndPoint(IPAddress.Any, 0));
        run.Advance(3);
        var token = run.Link[(run.Link.IndexOf("token=", StringComparison.Ordinal) + "token=".Length)..];
        var address = $"http://127.0.0.1:{run.EndPoint.Port}/";
        await using var stranger = await browser.OpenAsync(address);
        await stranger.UntilAsync("document.body?.textContent.includes('A token is needed')");
        await using var page = await browser.OpenAsync($"{address}?token={token}");
        await page.UntilAsync("document.body.dataset.step === '3'");
        Assert.Equal(address, (await page.GetAsync("location.href")).GetString());
        Assert.Equal("", (await page.GetAsync("document.cookie")).GetString());
        await page.GoAsync(address);
        await page.UntilAsync("document.body.dataset.step === '3'");
    }

    [Fact]
    public async Task A_page_finds_the_run_again_when_another_process_carries_it_on()
    {
        var first = await SimulatedRun.StartAsync(totalSteps: 1000, at: SimulatedRun.FreeAddress());
        await using var page = await browser.OpenAsync(first.Address);
        first.Advance(20);
        await page.UntilAsync("document.body.dataset.step === '20'");
        await first.DisposeAsync();
        await page.UntilAsync("document.querySelector('#link').className === 'link lost'");
        await using var second = await SimulatedRun.StartAsync(totalSteps: 1000, logged: 20, at: first.EndPoint);
        second.Advance(5);
        await page.UntilAsync("document.body.dataset.step === '25' && document.querySelector('#link').className === 'link live'");
        Assert.Equal("25", (await page.GetAsync("document.querySelector('#chart-loss').dataset.points")).GetString());
    }

    [Fact]
    public async Task It_fits_a_phone_and_a_desk_by_day_and_by_night()
    {
        await using var run = await SimulatedRun.StartAsync(totalSteps: 5_000);
        await using var page = await browser.OpenAsync(run.Address, 1440, 1500);
        run.Happen("started", "coordinator", "resnet20, 272,474 parameters; CIFAR-10, 50,000 images; 5,000 steps of 256; 3 workers, 2 parameter shards");
        for (var i = 0; i < 3; i++) run.Happen("worker-joined", $"worker-{i}", $"worker-{i} joined.");
        run.Advance(900);
        run.Happen("worker-lost", "worker-1", "worker-1 is lost in step 900: its link ended (connection reset by peer).");
        run.Happen("leased-again", null, "Leaves 3 to 5 of step 900 go to worker-0 and worker-2 as well.");
        run.Advance(700);
        run.Happen("worker-joined", "worker-1", "worker-1 joined; 3 workers share the leaves.");
        run.Advance(394, isTraced: false);
        run.Happen("worker-late", "worker-2", "worker-2 needs 4 times as long for its leaves as the others.");
        run.Happen("evaluated", "coordinator", "test accuracy 91.2 %, loss 0.3321, 10000 images after step 1900");
        run.Advance(6, isTraced: true);
        foreach (var (node, memory) in new[] { ("worker-0", 612e6), ("worker-1", 598e6), ("worker-2", 655e6), ("ps-0", 210e6), ("ps-1", 204e6), ("coordinator", 180e6) }) run.Report(node, memory);
        run.Happen("worker-lost", "worker-0", "worker-0 is lost in step 2000: it fell silent.");
        await page.UntilAsync("document.querySelectorAll('.step').length >= 5 && document.querySelector('[data-node=worker-0]').dataset.state === 'lost'");
        await page.ScreenshotAsync("run-1440-light");
        await page.ShowAsync(1440, 1500, isDark: true);
        await page.UntilAsync("matchMedia('(prefers-color-scheme: dark)').matches");
        await page.ClickAsync(".step");
        await page.UntilAsync("document.querySelectorAll('#trace .bar').length > 20");
        await page.MoveAsync(300, 330);
        await page.UntilAsync("document.querySelector('#chart-loss .tip:not([hidden])')?.textContent.includes('step')");
        await page.ScreenshotAsync("run-1440-dark");
        foreach (var isDark in (bool[])[false, true])
        {
            await page.ShowAsync(390, 844, isDark);
            await page.UntilAsync("innerWidth === 390 && document.querySelector('#chart-loss canvas').clientWidth < 390");
            Assert.Equal(390, (await page.GetAsync("document.documentElement.scrollWidth")).GetInt32());
            await page.ScreenshotAsync($"run-390-{(isDark ? "dark" : "light")}");
        }
        Assert.Empty(page.Complaints);
    }
}
