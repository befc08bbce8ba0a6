// The peer in Go: net/http and encoding/json. Prints the CPU time of one call
// in µs, and how many there were in a second.
//
//	go_call URL COUNT [AT_ONCE]
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

func number(index, absent int) int {
	if len(os.Args) <= index {
		return absent
	}
	value, err := strconv.Atoi(os.Args[index])
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func call(client *http.Client, url string) {
	request, err := http.NewRequest("GET", url, nil)
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("token", "x")
	answer, err := client.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 200 {
		log.Fatal(answer.Status, err)
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		log.Fatal(err)
	}
}

func run(client *http.Client, url string, count, atOnce int) {
	turns := make(chan struct{}, count)
	for i := 0; i < count; i++ {
		turns <- struct{}{}
	}
	close(turns)
	var workers sync.WaitGroup
	for i := 0; i < atOnce; i++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for range turns {
				call(client, url)
			}
		}()
	}
	workers.Wait()
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func main() {
	url, count, atOnce := os.Args[1], number(2, 1), number(3, 1)
	client := &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: atOnce, MaxConnsPerHost: atOnce},
	}
	run(client, url, 2*atOnce, atOnce)
	began, cpu := time.Now(), cpuTime()
	run(client, url, count, atOnce)
	cpu, took := cpuTime()-cpu, time.Since(began)
	fmt.Printf("%.3f %.1f\n", float64(cpu.Nanoseconds())/1e3/float64(count), float64(count)/took.Seconds())
}
