//go:build desktop

package app

import (
	"context"
	_ "embed" // for the window's script
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/wailsapp/wails/v2"
	"github.com/wailsapp/wails/v2/pkg/menu"
	"github.com/wailsapp/wails/v2/pkg/menu/keys"
	"github.com/wailsapp/wails/v2/pkg/options"
	"github.com/wailsapp/wails/v2/pkg/options/assetserver"
	"github.com/wailsapp/wails/v2/pkg/options/linux"
	"github.com/wailsapp/wails/v2/pkg/runtime"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/web"
	"github.com/adjudge/adjudge/frontend/ui"
)

// This is the only file that knows Wails. Wails is used as a shell: the window
// shows the server of this very process over loopback, because under Wails' own
// scheme cookies, redirects, WebSockets, downloads and uploads do not work. So
// there are no bindings either: what a page may ask of the window goes through
// web.Native like every other request.

// desktopScript runs on every page that the window has loaded.
//
//go:embed desktop.js
var desktopScript string

// windowCommand opens the window. Started without a command, a build that has
// one opens it, too.
func windowCommand() *cobra.Command {
	return desktopCommand(func(dir string) nativeWindow { return newWindow(dir) })
}

// window is the one window. It implements web.Native.
type window struct {
	dir string

	mu      sync.Mutex
	ctx     context.Context // Wails' own, set when the window is there
	state   windowState
	door    *doorway
	told    int   // notifications so far; each has a number of its own
	silence error // why there are no notifications; nil where there are
}

var _ nativeWindow = (*window)(nil)

// newWindow prepares the window of a data directory; show opens it.
func newWindow(dir string) *window {
	return &window{dir: dir, state: readWindowState(dir)}
}

// show opens the window and returns when it was closed, by the person or by the
// signals at which Wails closes it. The doorway starts the server and signs the
// window in.
func (w *window) show(d *doorway) error {
	if goruntime.GOOS == "linux" && os.Getenv("WEBKIT_DMABUF_RENDERER_FORCE_SHM") == "" {
		// Without it the window stays blank on some Wayland and NVIDIA systems.
		if err := os.Setenv("WEBKIT_DMABUF_RENDERER_FORCE_SHM", "1"); err != nil {
			return err
		}
	}
	d.port = w.state.Port
	d.chosen = w.remember
	d.quit = func() {
		if ctx, err := w.own(); err == nil {
			runtime.Quit(ctx)
		}
	}
	w.door = d
	d.open(d.port)

	words, err := windowWords()
	if err != nil {
		return err
	}
	start := options.Normal
	if w.state.Maximised {
		start = options.Maximised
	}
	return wails.Run(&options.App{
		Title:            "Adjudge",
		Width:            w.state.Width,
		Height:           w.state.Height,
		MinWidth:         320,
		MinHeight:        480,
		WindowStartState: start,
		BackgroundColour: options.NewRGB(0xf6, 0xf7, 0xf8), // of the first frame, before the page is there
		AssetServer:      &assetserver.Options{Handler: d},
		Menu:             w.menu(d.speak(context.Background())), // another language comes with the next start: GTK keeps the first bar
		// Copy and paste by mouse belong to a tool in which people read and write.
		EnableDefaultContextMenu: true,
		Linux:                    &linux.Options{ProgramName: "adjudge", WebviewGpuPolicy: linux.WebviewGpuPolicyOnDemand},
		OnStartup: func(own context.Context) {
			w.mu.Lock()
			w.ctx = own
			w.mu.Unlock()
			w.listen(own)
		},
		OnDomReady: func(own context.Context) {
			runtime.WindowExecJS(own, words+desktopScript)
			w.applyZoom(own)
		},
		OnShutdown:    func(own context.Context) { runtime.CleanupNotifications(own) },
		OnBeforeClose: w.beforeClose,
	})
}

// menu is the window's menu, in the language of ctx.
func (w *window) menu(ctx context.Context) *menu.Menu {
	bar := menu.NewMenu()
	if goruntime.GOOS == "darwin" {
		bar = menu.NewMenuFromItems(menu.AppMenu(), menu.EditMenu()) // without it macOS has no copy and paste
	}
	acts := w.menuActs()
	for _, column := range windowMenu(ctx) {
		list := bar.AddSubmenu(column.Text)
		for _, entry := range column.Entries {
			if entry.Act == "" {
				list.AddSeparator()
				continue
			}
			act := acts[entry.Act]
			list.AddText(entry.Text, act.key, act.do)
		}
	}
	if goruntime.GOOS == "darwin" {
		bar.Append(menu.WindowMenu())
	}
	return bar
}

// menuAct is what a line of the menu does, and its key.
type menuAct struct {
	key *keys.Accelerator
	do  menu.Callback
}

func (w *window) menuActs() map[string]menuAct {
	do := func(act func(ctx context.Context)) menu.Callback {
		return func(*menu.CallbackData) {
			if ctx, err := w.own(); err == nil {
				act(ctx)
			}
		}
	}
	page := func(script string) menu.Callback {
		return do(func(ctx context.Context) { runtime.WindowExecJS(ctx, script) })
	}
	zoom := func(step string) menu.Callback {
		return do(func(ctx context.Context) { _ = w.Zoom(ctx, step) })
	}
	return map[string]menuAct{
		"server": {keys.Combo("o", keys.CmdOrCtrlKey, keys.ShiftKey), do(func(ctx context.Context) {
			w.door.ask()
			runtime.WindowReloadApp(ctx)
		})},
		"print":    {keys.CmdOrCtrl("p"), page("window.print()")},
		"quit":     {keys.CmdOrCtrl("q"), do(runtime.Quit)},
		"find":     {keys.CmdOrCtrl("f"), page("adjudgeDesktop.find()")},
		"next":     {keys.CmdOrCtrl("g"), page("adjudgeDesktop.findNext(1)")},
		"previous": {keys.Combo("g", keys.CmdOrCtrlKey, keys.ShiftKey), page("adjudgeDesktop.findNext(-1)")},
		"back":     {keys.OptionOrAlt("left"), page("history.back()")},
		"forward":  {keys.OptionOrAlt("right"), page("history.forward()")},
		"reload":   {keys.CmdOrCtrl("r"), page("location.reload()")},
		"larger":   {keys.CmdOrCtrl("+"), zoom("in")},
		"smaller":  {keys.CmdOrCtrl("-"), zoom("out")},
		"usual":    {keys.CmdOrCtrl("0"), zoom("reset")},
		"full": {keys.Key("f11"), do(func(ctx context.Context) {
			if runtime.WindowIsFullscreen(ctx) {
				runtime.WindowUnfullscreen(ctx)
			} else {
				runtime.WindowFullscreen(ctx)
			}
		})},
		"new":   {nil, page("location.assign((document.documentElement.dataset.base || '') + '/about')")},
		"about": {keys.Key("f1"), do(w.about)},
	}
}

// about says what this is.
func (w *window) about(own context.Context) {
	ctx := w.door.speak(own)
	text := ui.T(ctx, "window.version", "version", version()) + "\n" + w.door.where(ctx) + "\n\n" + ui.T(ctx, "window.licence")
	if _, err := runtime.MessageDialog(own, runtime.MessageDialogOptions{Type: runtime.InfoDialog, Title: ui.T(ctx, "about.title"), Message: text}); err != nil {
		fmt.Fprintln(os.Stderr, "adjudge:", err)
	}
}

// Zoom makes pages larger or smaller, and remembers it.
func (w *window) Zoom(_ context.Context, step string) error {
	ctx, err := w.own()
	if err != nil {
		return err
	}
	w.mu.Lock()
	next, err := zoomed(w.state.Zoom, step)
	if err == nil {
		w.state.Zoom = next
		if err := w.state.write(w.dir); err != nil {
			fmt.Fprintln(os.Stderr, "adjudge: the zoom is not remembered:", err)
		}
	}
	w.mu.Unlock()
	if err != nil {
		return err
	}
	w.applyZoom(ctx)
	runtime.WindowExecJS(ctx, fmt.Sprintf("adjudgeDesktop.say('%d %%')", int(next*100+0.5)))
	return nil
}

func (w *window) applyZoom(ctx context.Context) {
	w.mu.Lock()
	zoom := w.state.Zoom
	w.mu.Unlock()
	if !zoomView(zoom) {
		runtime.WindowExecJS(ctx, fmt.Sprintf("document.documentElement.style.zoom = %g", zoom))
	}
}

// listen prepares notifications. Pressing one brings the window to its page.
func (w *window) listen(ctx context.Context) {
	if err := runtime.InitializeNotifications(ctx); err != nil {
		w.mu.Lock()
		w.silence = err
		w.mu.Unlock()
		return
	}
	runtime.OnNotificationResponse(ctx, func(result runtime.NotificationResult) {
		href, _ := result.Response.UserInfo["href"].(string)
		if result.Error != nil || !strings.HasPrefix(href, "/") {
			return
		}
		_ = w.Raise(ctx)
		if where, err := json.Marshal(href); err == nil {
			runtime.WindowExecJS(ctx, "location.assign("+string(where)+")")
		}
	})
}

// Notify shows a notification of the system.
func (w *window) Notify(asked context.Context, title, text, href string) error {
	ctx, err := w.own()
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.told++
	number, silence := w.told, w.silence
	w.mu.Unlock()
	if silence != nil {
		return fault.As(fault.Unavailable, silence, "This computer shows no notifications: no program for them is running.")
	}
	if goruntime.GOOS == "darwin" {
		if may, err := runtime.RequestNotificationAuthorization(ctx); err != nil || !may {
			return fault.As(fault.Unavailable, err, "macOS does not let Adjudge show notifications. Allow them in System Settings, Notifications.")
		}
	}
	err = runtime.SendNotification(ctx, runtime.NotificationOptions{
		ID: fmt.Sprintf("adjudge-%d", number), Title: title, Body: asNotified(asked, text), Data: map[string]any{"href": href},
	})
	if err != nil {
		return fault.As(fault.Unavailable, err, "This computer shows no notifications: no program for them is running.")
	}
	return nil
}

// note remembers the server's version.
func (w *window) note(version string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.state.Noted
	w.state.Noted = version
	if before != version {
		if err := w.state.write(w.dir); err != nil {
			fmt.Fprintln(os.Stderr, "adjudge: the server's version is not remembered:", err)
		}
	}
	return before
}

// beforeClose notes how large the window was; the next one opens like it.
func (w *window) beforeClose(ctx context.Context) (prevent bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state.Maximised = runtime.WindowIsMaximised(ctx)
	if !w.state.Maximised {
		w.state.Width, w.state.Height = runtime.WindowGetSize(ctx)
	}
	if err := w.state.write(w.dir); err != nil {
		fmt.Fprintln(os.Stderr, "adjudge: the window's size is not remembered:", err)
	}
	return false
}

// remember keeps the port: stored answers of the browser belong to it.
func (w *window) remember(port int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state.Port = port
	if err := w.state.write(w.dir); err != nil {
		fmt.Fprintln(os.Stderr, "adjudge: the window's port is not remembered:", err)
	}
}

// own returns Wails' context, which its functions want instead of a receiver.
func (w *window) own() (context.Context, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ctx == nil {
		return nil, fault.New(fault.Unavailable, "The window is not open yet.")
	}
	return w.ctx, nil
}

// SaveAs shows the system's save dialog.
func (w *window) SaveAs(asked context.Context, name string) (web.NativeFile, error) {
	ctx, err := w.own()
	if err != nil {
		return nil, err
	}
	path, err := runtime.SaveFileDialog(ctx, runtime.SaveDialogOptions{
		Title:            ui.T(asked, "window.save"),
		DefaultDirectory: downloadFolder(), DefaultFilename: name, CanCreateDirectories: true,
	})
	if err != nil {
		return nil, fault.As(fault.Unavailable, err, "The save dialog could not be shown.")
	}
	if path == "" {
		return nil, nil
	}
	file, err := createChosen(path)
	if err != nil {
		return nil, fault.As(fault.Invalid, err, "Nothing can be written to %s. Choose another folder.", filepath.Dir(path))
	}
	return file, nil
}

// downloadFolder is where the dialog starts; it must exist.
func downloadFolder() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	for _, dir := range []string{filepath.Join(home, "Downloads"), home} {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir
		}
	}
	return ""
}

// OpenURL hands a link to the system's browser.
func (w *window) OpenURL(_ context.Context, url string) error {
	ctx, err := w.own()
	if err != nil {
		return err
	}
	runtime.BrowserOpenURL(ctx, url)
	return nil
}

// Raise brings the window to the front.
func (w *window) Raise(context.Context) error {
	ctx, err := w.own()
	if err != nil {
		return err
	}
	runtime.WindowUnminimise(ctx)
	runtime.WindowShow(ctx)
	// Window managers keep others from stealing the focus; this they let pass.
	runtime.WindowSetAlwaysOnTop(ctx, true)
	runtime.WindowSetAlwaysOnTop(ctx, false)
	return nil
}
