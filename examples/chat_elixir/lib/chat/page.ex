defmodule Chat.Page do
  @moduledoc "A page to try the chat with: a handler that answers by itself and upgrades nothing."

  @page """
  <!doctype html>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>drover and Elixir</title>
  <link rel="icon" href="data:,">
  <style>
    :root { color-scheme: light dark }
    body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem }
    #log { min-height: 12rem; white-space: pre-wrap; overflow-wrap: anywhere }
    form { display: flex; gap: .5rem }
    input { flex: 1; font: inherit; padding: .5rem }
  </style>
  <h1>Chat</h1>
  <div id="log" role="log"></div>
  <form><input aria-label="Message" maxlength="2000" autofocus autocomplete="off"><button>Send</button></form>
  <script>
    const [log, input] = [document.querySelector("#log"), document.querySelector("input")];
    const show = (line) => log.append(line + "\\n");
    const name = prompt("Your name?") || "guest";
    const url = new URL("/chat/" + encodeURIComponent(name), location.href.replace(/^http/, "ws"));
    const socket = new WebSocket(url);
    socket.onmessage = ({ data }) => show(data);
    socket.onclose = () => show("* disconnected: reload the page to come back");
    document.querySelector("form").onsubmit = (event) => {
      event.preventDefault();
      if (input.value && socket.readyState === WebSocket.OPEN) socket.send(input.value);
      input.value = "";
    };
  </script>
  """

  def init(req, opts) do
    headers = %{"content-type" => "text/html; charset=utf-8"}
    {:ok, :drover_req.reply(200, headers, @page, req), opts}
  end
end
